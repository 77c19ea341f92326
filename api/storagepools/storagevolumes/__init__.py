"""/storagepools/{pool}/storagevolumes: images and devices."""
