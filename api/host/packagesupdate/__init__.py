"""/host/packagesupdate: the packages that have a newer version."""
