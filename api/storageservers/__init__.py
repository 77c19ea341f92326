"""/storageservers: who offers storage in this network."""
