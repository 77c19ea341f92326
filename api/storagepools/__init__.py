"""/storagepools: where volumes lie."""
