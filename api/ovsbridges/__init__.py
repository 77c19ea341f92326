"""/ovsbridges: Open vSwitch's bridges."""
