"""The secrets of a pull: looked up by name, masked in whatever is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from salesops.model.secretnames import is_name, look_up
from salesops.sources.pull.errors import BadPullOption, MissingSecret

MASK = "•••"


@dataclass
class Secrets:
    """What a system asks for, by key such as `token`; a value is looked up when it is needed.

    Attributes
    ----------
    system
        Its title.
    names
        Where each key is found: `env:NAME` or `keyring:service/name`.
    environment
        Variables instead of those of the process.

    Examples
    --------
    >>> secrets = Secrets("HubSpot", {"token": "env:HUBSPOT_TOKEN"}, {"HUBSPOT_TOKEN": "pat-na1"})
    >>> secrets.get("token"), secrets.masked("Bearer pat-na1 has expired")
    ('pat-na1', 'Bearer ••• has expired')
    """

    system: str
    names: Mapping[str, str]
    environment: Mapping[str, str] | None = None
    _seen: set[str] = field(default_factory=set, repr=False)

    def get(self, key: str, *, other: str = "") -> str:
        """Give a secret.

        Raises
        ------
        MissingSecret
            It is not set; `other` says what would do instead.
        """
        found, reason = look_up(self.names[key], self.environment)
        if not found:
            raise MissingSecret(system=self.system, key=key, name=self.names[key], reason=reason,
                                other=other)  # fmt: skip
        return self.hide(found)

    def has(self, key: str) -> bool:
        """Say whether a secret is set."""
        return bool(look_up(self.names[key], self.environment)[0])

    def hide(self, value: str) -> str:
        """Mask a value from now on, such as a token that a system gave."""
        self._seen.add(value)
        return value

    def masked(self, text: str) -> str:
        """Give a text without the secrets, as they are and as addresses write them."""
        for value in sorted(self._seen, key=len, reverse=True):
            for form in {value, quote(value, safe="")}:
                text = text.replace(form, MASK)
        return text


def named_secrets(options: Sequence[str]) -> dict[str, str]:
    """Read KEY=NAME as it is given on the command line.

    Raises
    ------
    BadPullOption
        One is something else; it is not shown, as it may be a secret.

    Examples
    --------
    >>> named_secrets(["client_id=env:OUR_ID", "token=OUR_TOKEN"])
    {'client_id': 'env:OUR_ID', 'token': 'OUR_TOKEN'}
    """
    found = {}
    for option in options:
        key, sep, name = option.partition("=")
        if not sep or not key.strip() or not name.strip():
            raise BadPullOption(
                option="--secret", value=MASK, example="token=env:OUR_TOKEN",
                expected="KEY=NAME, the name of a secret and not the secret",
            )  # fmt: skip
        found[key.strip()] = name.strip()
    return found


def secret_names(known: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """Give the names of a system's secrets, with those that were told.

    A plain NAME is that of a variable. What looks like a secret itself is refused and not shown.

    Raises
    ------
    BadPullOption
        There is no such secret, or its name is none.

    Examples
    --------
    >>> secret_names({"token": "env:HUBSPOT_TOKEN"}, {"token": "OUR_TOKEN"})
    {'token': 'env:OUR_TOKEN'}
    """
    names = dict(known)
    for key, name in told.items():
        if key not in known:
            # What stands in front of the sign may be a part of a secret, too.
            raise BadPullOption(
                option="--secret",
                value=MASK,
                example=f"{next(iter(known))}=env:NAME",
                expected=f"KEY=NAME with one of {', '.join(known)}",
            )
        whole = name if ":" in name else f"env:{name}"
        # A token on the command line would stay in the shell's history: it is not repeated here.
        if not is_name(whole) or _looks_secret(whole):
            raise BadPullOption(
                option="--secret", value=f"{key}={MASK}", example=f"{key}=env:{key.upper()}",
                expected="the name of a variable (env:NAME) or of a keyring's entry "
                "(keyring:service/name), not the secret itself",
            )  # fmt: skip
        names[key] = whole
    return names


def _looks_secret(name: str) -> bool:
    kind, _colon, value = name.partition(":")
    return kind == "env" and (len(value) > 60 or (value != value.upper() and len(value) > 24))
