"""One repository and one host, joined: the stages in their order, as the agent's loop and the verbs go through them."""
