"""From a request to a checked call, and from a value to an answer: what every resource shares."""
