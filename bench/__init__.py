"""How fast onggi is, measured beside its peers on the same host in the same run: `python -m bench --help`."""
