"""What one run of onggi is told: its settings, the bounds that they set, and when a host may be changed."""
