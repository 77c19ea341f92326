"""Webhooks that come in: who sent one, and whether it is a new one. What follows from it is the resource's business."""
