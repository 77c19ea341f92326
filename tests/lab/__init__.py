"""The machine under the tests: a hypervisor, a tiny guest, its serial line, git repositories, waiting."""
