"""From rules to tags: what each rule gives for an event, and which becomes the version."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from trunkline.adapters.actions.docker_metadata import moment
from trunkline.adapters.actions.docker_metadata.event import Event
from trunkline.adapters.actions.docker_metadata.patterns import match_groups
from trunkline.adapters.actions.docker_metadata.rules import Flavor, TagRule, number
from trunkline.adapters.actions.docker_metadata.template import Helper, Names, Template, Value
from trunkline.adapters.actions.docker_metadata.versions import read_pep440, read_semantic
from trunkline.ports.actions import ActionFailed

_SHORT = 7


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What rules are applied to. `now` is in seconds since the epoch, `env` the step's environment.

    `say` takes a line for the log, `warn` a warning.
    """

    event: Event
    flavor: Flavor
    now: float
    env: Mapping[str, str]
    say: Callable[[str], None]
    warn: Callable[[str], None]


class Version(msgspec.Struct, frozen=True):
    """The tags of an image: the first is its version, '' when no rule gave one."""

    main: str = ""
    others: tuple[str, ...] = ()
    latest: bool = False


class _Given(msgspec.Struct, frozen=True):
    """What a rule gave: a text, and whether it makes the image the latest one."""

    text: str
    latest: bool = False


def version_of(rules: Sequence[TagRule], setting: Setting) -> Version:
    """Apply rules in their order. Raises ActionFailed."""
    namer = Namer(setting)
    found: dict[str, None] = {}
    latest: bool | None = None
    for rule in rules:
        given = namer.apply(rule) if namer.is_enabled(rule) else None
        if given is None or not given.text:
            continue
        found[sanitized(given.text)] = None
        if latest is None:
            wanted = setting.flavor.latest
            latest = given.latest if wanted == "auto" else wanted == "true"
    main, *others = found or [""]
    return Version(main, tuple(others), latest or False)


def sanitized(tag: str) -> str:
    """Return a tag with what may not stand in one replaced by `-`."""
    return re.sub(r"[^a-zA-Z0-9._-]+", "-", tag)


class Namer:
    """Applies rules and global expressions to one event."""

    def __init__(self, setting: Setting) -> None:
        """Apply to `setting`."""
        self._setting = setting
        self._event = setting.event
        self._rules: Mapping[str, Callable[[TagRule], _Given | None]] = {
            "schedule": self._schedule,
            "semver": self._semver,
            "pep440": self._pep440,
            "match": self._match,
            "edge": self._edge,
            "ref": self._ref,
            "raw": self._raw,
            "sha": self._sha,
        }

    def expand(self, text: str) -> str:
        """Return a text with its global expressions filled in. Raises ActionFailed."""
        return Template(text).render(self._names()) if "{{" in text else text

    def is_enabled(self, rule: TagRule) -> bool:
        """Tell whether a rule counts. Raises ActionFailed."""
        enabled = self.expand(rule.attributes["enable"])
        if enabled not in {"true", "false"}:
            raise ActionFailed(f"Invalid value for enable attribute: {enabled}")
        return enabled == "true"

    def apply(self, rule: TagRule) -> _Given | None:
        """Return what a rule gives, None where it does not apply. Raises ActionFailed."""
        given = self._rules[rule.type](rule)
        return _Given(self._with_affixes(given.text, rule), given.latest) if given else None

    def _with_affixes(self, text: str, rule: TagRule) -> str:
        flavor = self._setting.flavor
        prefix = self.expand(rule.attributes.get("prefix", flavor.prefix))
        return prefix + text + self.expand(rule.attributes.get("suffix", flavor.suffix))

    def _schedule(self, rule: TagRule) -> _Given | None:
        if "schedule" not in self._event.name:
            return None
        return _Given(Template(rule.attributes["pattern"]).render(self._dates()))

    def _semver(self, rule: TagRule) -> _Given | None:
        text = self._versioned(rule)
        if text is None:
            return None
        found = read_semantic(text)
        if found is None:
            self._setting.warn(f"{text} is not a valid semver. More info: https://semver.org/")
            return None
        pattern = Template(rule.attributes["pattern"])
        names: Names = msgspec.structs.asdict(found)
        if not found.prerelease:
            return _Given(pattern.render(names), latest=True)
        return _Given(found.raw if pattern.is_only("raw") else found.version)

    def _pep440(self, rule: TagRule) -> _Given | None:
        text = self._versioned(rule)
        if text is None:
            return None
        found = read_pep440(text)
        if found is None:
            self._setting.warn(
                f"{text} does not conform to PEP 440. "
                "More info: https://www.python.org/dev/peps/pep-0440"
            )
            return None
        pattern = Template(rule.attributes["pattern"])
        if not found.final:
            return _Given(found.raw if pattern.is_only("raw") else found.version)
        names = {key: getattr(found, key) for key in ("raw", "version", "major", "minor", "patch")}
        return _Given(pattern.render(names), latest=True)

    def _versioned(self, rule: TagRule) -> str | None:
        """Return what a version is read from: the value or the tag, or what `match` finds in it."""
        text = self._value_or_tag(rule)
        if text is None:
            return None
        pattern = rule.attributes["match"]
        if pattern:
            groups = match_groups(pattern, text)
            if groups is None:
                self._setting.warn(f"{pattern} does not match {text}.")
            elif len(groups) < 2 or groups[1] is None:
                raise ActionFailed(f"match={pattern} has no group that matches {text}.")
            else:
                text = groups[1]
        return text.replace("/", "-")

    def _match(self, rule: TagRule) -> _Given | None:
        text = self._value_or_tag(rule)
        if text is None:
            return None
        pattern, group = rule.attributes["pattern"], rule.attributes["group"]
        groups = match_groups(pattern, text)
        if groups is None:
            self._setting.warn(f"{pattern} does not match {text}.")
            return None
        index = int(group) if re.fullmatch(r"0|[1-9]\d{0,3}", group) else len(groups)
        found = groups[index] if index < len(groups) else None
        if found is None:
            self._setting.warn(f"Group {group} does not exist for {pattern} pattern.")
            return None
        return _Given(found, latest=True)

    def _value_or_tag(self, rule: TagRule) -> str | None:
        if rule.attributes["value"]:
            return self.expand(rule.attributes["value"])
        return self._event.tag or None

    def _edge(self, rule: TagRule) -> _Given | None:
        wanted = rule.attributes["branch"] or self._event.repository.get("default_branch")
        return _Given("edge") if self._event.branch and self._event.branch == wanted else None

    def _ref(self, rule: TagRule) -> _Given | None:
        match rule.attributes["event"]:
            case "branch":
                return _Given(self._event.branch) if self._event.branch else None
            case "tag":
                return _Given(self._event.tag, latest=True) if self._event.tag else None
            case _:
                ref = self._event.ref
                number = ref.removeprefix("refs/pull/").removesuffix("/merge")
                return _Given(number) if ref.startswith("refs/pull/") else None

    def _raw(self, rule: TagRule) -> _Given:
        return _Given(self.expand(rule.attributes["value"]))

    def _sha(self, rule: TagRule) -> _Given | None:
        if not self._event.sha:
            return None
        is_short = rule.attributes["format"] == "short"
        return _Given(self._short_sha() if is_short else self._event.sha)

    def _short_sha(self) -> str:
        text = self._setting.env.get("DOCKER_METADATA_SHORT_SHA_LENGTH", "")
        length = number(text) if text else _SHORT
        if math.isnan(length):
            raise ActionFailed(f"DOCKER_METADATA_SHORT_SHA_LENGTH is not a valid number: {text}")
        return self._event.sha[: max(int(length), 0)]

    def _names(self) -> Names:
        event = self._event
        names: dict[str, Value | Helper] = {
            "branch": event.branch,
            "tag": event.tag,
            "sha": lambda _arguments, _named: self._short_sha(),
            "base_ref": event.base_ref,
            "is_default_branch": "true" if event.is_default_branch else "false",
            "is_not_default_branch": "false" if event.is_default_branch else "true",
        }
        return {**names, **self._dates()}

    def _dates(self) -> dict[str, Value | Helper]:
        return {
            "date": self._date(self._setting.now),
            "commit_date": self._date(self._event.commit_date),
        }

    def _date(self, seconds: float) -> Helper:
        def render(arguments: tuple[Value, ...], named: Mapping[str, Value]) -> str:
            if not arguments:
                raise ActionFailed("date and commit_date need a format: {{date 'YYYYMMDD'}}")
            for key in named:
                if key != "tz":
                    raise ActionFailed(f"Unknown {key} attribute")
            name = str(named.get("tz") or "UTC")
            zone = moment.zone(name)
            if zone is None:
                self._setting.say(
                    f"Moment Timezone has no data for {name}. "
                    "See http://momentjs.com/timezone/docs/#/data-loading/."
                )
            pattern = arguments[0]
            return moment.formatted(
                datetime.fromtimestamp(seconds, zone or UTC),
                pattern if isinstance(pattern, str) else None,
            )

        return render
