"""The forge at an address, as a value that can be talked to."""

from __future__ import annotations

from reconciler.forges.address import ForgeAddress
from reconciler.forges.client import ForgeClient
from reconciler.forges.forge import Forge
from reconciler.forges.github_shaped import GitHubShaped, gitea_headers, github_headers
from reconciler.forges.gitlab import GitLab, gitlab_headers
from reconciler.secret_file import SecretFile


def connect(address: ForgeAddress) -> tuple[Forge, ForgeClient]:
    """The forge, and the connection to close at the end. Nothing is asked yet."""
    token = SecretFile(address.token_file, "forge-token-file")
    headers = {"github": github_headers, "gitlab": gitlab_headers}.get(address.kind, gitea_headers)
    client = ForgeClient(address.api, token, headers)
    if address.kind == "gitlab":
        return GitLab(client, address.repository), client
    if address.kind == "github":
        return GitHubShaped(client, address.repository, {"per_page": 100}, filters=True), client
    return GitHubShaped(client, address.repository, {"limit": 50}, filters=False), client
