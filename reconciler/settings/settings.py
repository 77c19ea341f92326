"""What one run of onggi is told: a frozen value, checked once, and the file that part of it may come from.

Where the values come from (flags, variables, the file, defaults) is the command line's business; whether a repository,
a branch or a URI exists is found out by whoever opens it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.errors import SettingsError
from reconciler.host.ldap_settings import GROUP_FILTER, USER_FILTER
from reconciler.locality import is_uri
from reconciler.planning.plan_options import DEFAULT_TRASH_RETENTION_S
from reconciler.settings import bounds
from reconciler.settings.bounds import check_folders
from reconciler.settings.proxies import check_header, check_proxies
from reconciler.settings.reachable import check_names, check_tls, host_and_port
from reconciler.source.limits import DEFAULT_MAX_FETCH, DEFAULT_MAX_FILES

if TYPE_CHECKING:
    from reconciler.host.ldap_settings import LdapSettings
    from reconciler.identity.logins import Logins
    from reconciler.identity.oidc.login import OidcLogin
    from reconciler.identity.role import Role
    from reconciler.network.addresses import Networks
    from reconciler.settings.windows import SyncWindow
    from reconciler.source.signatures import SignaturePolicy
    from specs.forbidden import Forbidden

_PAM_SERVICE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

DEFAULT_CONNECT = "qemu:///system"
SHORTEST_INTERVAL_S = 1.0
MOST_FILES = 1_000_000
MOST_CONSOLES = 1_000

_LONGEST_FILE = 1 << 20  # of settings
_WANTED = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number or a text such as 30s",
    list: "a list of texts",
    dict: "tables of its own, each below [[…]]",
}


def default_state() -> Path:
    """The state folder when none is named: the system's as root, else the user's own."""
    if os.geteuid() == 0:
        return Path("/var/lib/onggi")
    base = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path there is to be ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".local/state") / "onggi"


def settings_files() -> tuple[Path, ...]:
    """Where the settings file is looked for when none is named; the first that exists is read."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    user = Path(base) if base.startswith("/") else Path.home() / ".config"
    return Path("/etc/onggi/onggi.toml"), user / "onggi/onggi.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a run may be told. Raises SettingsError for a value that can't be right."""

    repository: str = ""  # a path or URL of a git repository, or a plain folder
    connect: str = DEFAULT_CONNECT
    state: Path = field(default_factory=default_state)
    branch: str = ""  # empty: the repository's default branch
    path: str = ""  # a folder inside the repository; empty: all of it
    worktree: bool = False  # the files as they lie in a repository's work tree, to look ahead
    max_files: int = DEFAULT_MAX_FILES  # that a source may have; what else is read of it is bounded in proportion
    max_fetch: int = DEFAULT_MAX_FETCH  # bytes that one fetch may bring
    allowed_folders: tuple[str, ...] = ()  # where a CD-ROM's path may lie; absolute
    allowed_pool_folders: tuple[str, ...] = field(default_factory=lambda: bounds.default_pool_folders())
    allowed_secret_folders: tuple[str, ...] = bounds.SECRET_FOLDERS  # in which `passwordFrom` may name files
    allowed_secret_variables: tuple[str, ...] = bounds.SECRET_VARIABLES  # those that it may name; `*` ends a prefix
    allow_xml: tuple[str, ...] = ()  # areas into which XML in documents may reach: see `specs/overlay/areas.py`
    forbid: tuple[str, ...] = ()  # what no document may say here: see `specs/forbidden_text.py`
    allowed_networks: tuple[str, ...] = ()  # from where images may come, beside the Internet; CIDR
    interval_s: float = 30.0  # between two questions to a remote
    resync_s: float = 300.0  # between two full readings of the host
    listen: str = ""  # HOST:PORT of the API; empty: none
    socket: Path | None = None  # the API's Unix socket; None: none
    socket_group: str = ""  # whose members may use that; empty: root alone
    trusted_proxies: tuple[str, ...] = ()  # addresses, networks and user:NAME, whose X-Forwarded-* is believed
    auth: str = "none"  # none | pam | ldap | oidc | proxy: how somebody logs in to the API; none: nobody has to
    proxy_user_header: str = "X-Forwarded-User"  # by which a trusted proxy says who asks
    proxy_groups_header: str = ""  # and in which groups they are; empty: it doesn't
    pam_service: str = "login"  # the PAM service that is asked, a file of /etc/pam.d
    pam_helper: Path | None = None  # the socket of root's `onggi pam`; None: PAM is asked here
    admin_groups: tuple[str, ...] = bounds.ADMIN_GROUPS  # whose members are administrators, as root is
    operator_groups: tuple[str, ...] = ()  # whose members may work with the machines that are there
    viewer_groups: tuple[str, ...] = ()  # whose members may look
    user_groups: tuple[str, ...] = ()  # whose members see and work with their own machines; * for every account
    oidc_issuer: str = ""  # the OpenID provider, as it calls itself
    oidc_client_id: str = ""
    oidc_client_secret_file: Path | None = None
    oidc_user_claim: str = "preferred_username"
    oidc_groups_claim: str = "groups"
    oidc_scopes: tuple[str, ...] = ("openid", "profile", "email")
    oidc_session_s: float = 3600.0  # how long a login there holds
    tls_cert: Path | None = None  # what the port shows; None: it speaks no TLS
    tls_key: Path | None = None
    expose_without: tuple[str, ...] = ()  # what an address that others reach goes without: login, tls
    public_names: tuple[str, ...] = ()  # what else the API is called by; none: the host's own names, off the loopback
    most_consoles: int = 64  # that are open at once, through the API
    audit_log: Path | None = None  # where it is written down who did what; None: nowhere
    api_writes: str = "on"  # on | off: whether the API may change the repository
    federation: str = "off"  # on | off: whether other agents on the network are told of this one, and listed
    accounts: str = "system"  # system | ldap: where the users and groups are listed that machines are given to
    ldap_url: str = ""  # several with blanks between them
    ldap_search_base: str = ""
    ldap_user_filter: str = USER_FILTER
    ldap_name_attribute: str = "uid"  # what a user is called
    ldap_group_base: str = ""  # empty: it has no groups
    ldap_group_filter: str = GROUP_FILTER
    ldap_member_of: bool = False  # whether to believe also what an entry says of its groups itself
    ldap_bind_dn: str = ""  # who asks; empty: nobody in particular
    ldap_bind_password_file: Path | None = None
    ldap_start_tls: bool = False
    ldap_passwords_in_clear: bool = False  # through a network
    ldap_ca_file: Path | None = None  # whom to trust; None: the system's authorities
    disabled_plugins: tuple[str, ...] = ()  # plugins that aren't loaded; `*`: none is
    once: bool = False  # one pass instead of a loop
    trash_retention_s: float = DEFAULT_TRASH_RETENTION_S  # how long a removed volume is kept
    webhook_secret_file: Path | None = None  # what webhooks are proven by; without one none is taken
    forge: str | None = None  # github | gitlab | gitea | forgejo; None: as the repository's host says
    forge_url: str = ""  # of its API; empty: as the repository's host says
    forge_repository: str = ""  # owner/name there; empty: as the repository's URL says
    forge_token_file: Path | None = None  # who reports; without one nothing is reported
    forge_plan_forks: bool = False  # plan pull requests from forks too
    require_signed: str = "no"  # no | head | all: which commits have to be signed
    allowed_signers: Path | None = None  # by whose ssh keys
    revoked_signers: Path | None = None  # ssh keys that aren't taken, whatever allowed_signers says
    allowed_gpg_keys: Path | None = None  # by whose GPG keys
    sync_windows: tuple[SyncWindow, ...] = ()  # when the host may be changed; none: always

    def __post_init__(self) -> None:
        if not is_uri(self.connect):
            raise SettingsError(f"{self.connect!r} isn't a libvirt URI; give one such as {DEFAULT_CONNECT}.")
        for name, value in (("interval", self.interval_s), ("resync-interval", self.resync_s)):
            if not SHORTEST_INTERVAL_S <= value < float("inf"):
                raise SettingsError(f"{name} is {value:g} s; give at least {SHORTEST_INTERVAL_S:g} s.")
        if not 0 <= self.trash_retention_s < float("inf"):
            raise SettingsError(f"trash-retention is {self.trash_retention_s:g} s; give 0 or more, such as 7d.")
        if not 1 <= self.max_files <= MOST_FILES:
            raise SettingsError(f"max-files is {self.max_files}; give a number from 1 to {MOST_FILES}.")
        if not 1 <= self.most_consoles <= MOST_CONSOLES:
            raise SettingsError(f"most-consoles is {self.most_consoles}; give a number from 1 to {MOST_CONSOLES}.")
        if self.max_fetch < 1 << 20:
            raise SettingsError(f"max-fetch is {self.max_fetch} bytes; give at least 1MiB.")
        check_folders("allowed-folder", self.allowed_folders)
        check_folders("allowed-secret-folder", self.allowed_secret_folders)
        check_folders("allowed-pool-folder", self.allowed_pool_folders)
        bounds.check_areas(self.allow_xml)
        _ = self.networks, self.rules
        keys = self.allowed_signers or self.allowed_gpg_keys
        if self.require_signed != "no" and keys is None:
            raise SettingsError(
                "require-signed allows nobody so far; name keys by allowed-signers or allowed-gpg-keys."
            )
        if self.require_signed == "no" and (keys or self.revoked_signers):
            raise SettingsError("Keys without require-signed would guard nothing; set require-signed to head or all.")
        if self.listen:
            _ = self.address
        check_tls(self.tls_cert, self.tls_key)
        check_names(self.public_names)
        if self.once and (self.listen or self.socket):
            raise SettingsError(
                "--once ends after one pass and serves nobody; leave --listen and --socket away, or --once."
            )
        if self.socket is not None and not self.socket.is_absolute():
            raise SettingsError(f"socket is {str(self.socket)!r}; give an absolute path such as /run/onggi/api.sock.")
        if self.socket_group and self.socket is None:
            raise SettingsError("A socket-group without a socket lets nobody in; give socket too.")
        if not self.listen and self.federation == "on":
            raise SettingsError(
                "federation tells others where the API answers, and it is served nowhere; give --listen, or set "
                "federation to off."
            )
        self._check_login()
        self._check_accounts()

    @property
    def address(self) -> tuple[str, int]:
        """Where the API listens. Raises SettingsError where it may not."""
        has_login, has_tls = self.auth != "none", self.tls_cert is not None
        return host_and_port(self.listen, has_login=has_login, has_tls=has_tls, waived=self.expose_without)

    @property
    def logins(self) -> Logins | None:
        """How somebody logs in to the API; None where nobody has to."""
        if self.auth == "none":
            return None
        from reconciler.settings.logging_in import (
            AT_A_PROVIDER,
            AT_A_PROXY,
            logins_by_ldap,
            logins_by_pam,
            logins_elsewhere,
        )

        if self.auth == "ldap" and (ldap := self.ldap) is not None:
            return logins_by_ldap(ldap, self.groups_of_roles)
        if self.auth in ("proxy", "oidc"):
            return logins_elsewhere(self.groups_of_roles, AT_A_PROXY if self.auth == "proxy" else AT_A_PROVIDER)
        return logins_by_pam(self.pam_service, self.pam_helper, self.groups_of_roles)

    @property
    def groups_of_roles(self) -> Mapping[Role, tuple[str, ...]]:
        """Which groups have which role."""
        from reconciler.identity.role import Role

        return {
            Role.ADMIN: self.admin_groups,
            Role.OPERATOR: self.operator_groups,
            Role.VIEWER: self.viewer_groups,
            Role.USER: self.user_groups,
        }

    @property
    def oidc(self) -> OidcLogin | None:
        """The provider at which somebody logs in; None where that is otherwise. Raises SettingsError."""
        if self.auth != "oidc":
            if self.oidc_issuer or self.oidc_client_id or self.oidc_client_secret_file:
                raise SettingsError("A provider at which nobody logs in isn't asked; set auth to oidc.")
            return None
        from reconciler.identity.oidc.login import OidcLogin
        from reconciler.settings.oidc import registration

        found = registration(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            secret_file=self.oidc_client_secret_file,
            user_claim=self.oidc_user_claim,
            groups_claim=self.oidc_groups_claim,
            scopes=self.oidc_scopes,
            session_s=self.oidc_session_s,
        )
        return OidcLogin(found, self.oidc_session_s)

    def _check_login(self) -> None:
        _ = self.oidc
        if self.audit_log is not None and not self.audit_log.is_absolute():
            raise SettingsError(f"audit-log is {str(self.audit_log)!r}; give an absolute path.")
        check_proxies(self.trusted_proxies, prove_users=self.auth == "proxy")
        check_header("proxy-user-header", self.proxy_user_header)
        if self.proxy_groups_header:
            check_header("proxy-groups-header", self.proxy_groups_header)
            if self.proxy_groups_header.lower() == self.proxy_user_header.lower():
                raise SettingsError("A user and their groups don't stand in one header; name another one for groups.")
        if "*" in (*self.admin_groups, *self.operator_groups, *self.viewer_groups):
            raise SettingsError("Only user-group takes * for everybody; name the groups that have a higher role.")
        if self.auth == "none" and (self.operator_groups or self.viewer_groups or self.user_groups):
            raise SettingsError("A group's role bounds nobody where nobody logs in; set auth, to pam for one.")
        if self.auth == "pam" and not _PAM_SERVICE.fullmatch(self.pam_service):
            raise SettingsError(f"pam-service {self.pam_service!r} isn't a file of /etc/pam.d; give one such as login.")

    def _check_accounts(self) -> None:
        ldap = self.ldap
        if ldap is None and (self.ldap_url or self.ldap_search_base or self.ldap_bind_dn):
            raise SettingsError("An LDAP server that no accounts come from isn't asked; set accounts to ldap, or auth.")
        if ldap is not None and self.auth == "ldap":
            from reconciler.settings.logging_in import check_roles_by_ldap

            check_roles_by_ldap(ldap, self.groups_of_roles)

    @property
    def ldap(self) -> LdapSettings | None:
        """The LDAP servers that accounts come from; None when they come from elsewhere. Raises SettingsError.

        Who logs in there is also who is listed, and whom a machine can be given to.
        """
        if self.auth != "ldap" and self.accounts != "ldap":
            return None
        from reconciler.host.ldap_settings import LdapSettings
        from reconciler.secret_file import SecretFile

        if not self.ldap_url:
            raise SettingsError("Accounts from LDAP need a server; give ldap-url such as ldaps://ldap.example.org.")
        if bool(self.ldap_bind_dn) != (self.ldap_bind_password_file is not None):
            raise SettingsError(
                "Give both ldap-bind-dn and ldap-bind-password-file: who asks the LDAP server has to prove it."
            )
        file = self.ldap_bind_password_file
        secret = SecretFile(file, "ldap-bind-password-file") if file is not None else None
        return LdapSettings(
            self.ldap_url,
            self.ldap_search_base,
            user_filter=self.ldap_user_filter,
            name_attribute=self.ldap_name_attribute,
            bind_dn=self.ldap_bind_dn,
            bind_password=(lambda: secret.text()) if secret is not None else str,
            start_tls=self.ldap_start_tls,
            ca_file=self.ldap_ca_file,
            group_base=self.ldap_group_base,
            group_filter=self.ldap_group_filter,
            member_of=self.ldap_member_of,
            has_logins=self.auth == "ldap",
            in_clear=self.ldap_passwords_in_clear,
        )

    @property
    def rules(self) -> tuple[Forbidden, ...]:
        """What no document may say on this host. Raises SettingsError for what is no rule."""
        if not self.forbid:
            return ()
        from specs.forbidden_text import NoRuleError, rule

        try:
            return tuple(map(rule, self.forbid))
        except NoRuleError as error:
            raise SettingsError(f"forbid {error}") from None

    @property
    def networks(self) -> Networks:
        """Where documents and clients may make onggi fetch from. Raises SettingsError for what is no network."""
        from reconciler.network.addresses import INTERNET, Networks

        return Networks.of(self.allowed_networks) if self.allowed_networks else INTERNET

    @property
    def signatures(self) -> SignaturePolicy:
        """Which commits have to be signed, and by whom."""
        from reconciler.source.signatures import SignaturePolicy

        return SignaturePolicy(self.require_signed, self.allowed_signers, self.revoked_signers, self.allowed_gpg_keys)


def read_settings_file(path: Path, types: Mapping[str, type]) -> dict[str, Any]:
    """The settings in a TOML file by key. `types` are str, bool, int, float (also a duration), list, dict (tables).

    Raises SettingsError for a file that can't be read, an unknown key or a value of another type, naming it.
    """
    import tomllib

    from reconciler.given_file import read_given

    try:
        content = read_given(path, _LONGEST_FILE)
        if len(content) > _LONGEST_FILE:
            raise SettingsError(f"The settings file {path} has more than {_LONGEST_FILE >> 20} MiB; check --config.")
        found = tomllib.loads(content.decode())
    except OSError as error:
        raise SettingsError(f"The settings file {path} can't be read ({error.strerror}); check --config.") from None
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise SettingsError(f"The settings file {path} isn't TOML: {error}; correct it.") from None
    except RecursionError:
        raise SettingsError(f"The settings file {path} is nested too deeply; no setting needs that.") from None
    for key, value in found.items():
        if key not in types:
            from specs.nearest import nearest

            near = nearest(key, types)
            remedy = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(sorted(types))}."
            raise SettingsError(f"The settings file {path} has an unknown key {key!r}; {remedy}")
        if not _fits(value, types[key]):
            wanted = _WANTED[types[key]]
            raise SettingsError(f"{key!r} in the settings file {path} has to be {wanted}; correct it.")
        if any("\0" in str(text) for text in (value if isinstance(value, list) else [value])):
            raise SettingsError(f"{key!r} in the settings file {path} has a NUL in it; remove it.")
    return found


def _fits(value: Any, wanted: type) -> bool:
    if wanted is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if wanted is dict:
        return isinstance(value, list) and all(isinstance(item, dict) for item in value)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if wanted is float:
        return isinstance(value, int | float | str) and not isinstance(value, bool)
    return isinstance(value, wanted)
