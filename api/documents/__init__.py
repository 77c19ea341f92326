"""What stands for documents or tells of them, whichever noun it is."""
