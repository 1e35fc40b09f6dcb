"""What docker/metadata-action documents, and what its own tests fix: events, rules, tags."""

from __future__ import annotations

SHA = "860c1904a1ce19322e91ac35af1ab07466440c37"
MASTER = "266574110acf203503badf966df2ea24b5d732d7"
SEMVER = "type=semver,pattern="
PEP440 = "type=pep440,pattern="
ALL_OF_SEMVER = f"{SEMVER}{{{{version}}}}|{SEMVER}{{{{major}}}}.{{{{minor}}}}|{SEMVER}{{{{major}}}}"
ALL_OF_PEP440 = ALL_OF_SEMVER.replace("semver", "pep440")
MATCH = "type=match,pattern="
RAW = "type=raw,value="
RELEASE_OR_NUMBER = r"/^v(\d.\d.\d)$/ig"
FOUND = "type=ref,event=branch|type=ref,event=tag|type=ref,event=pr|type=schedule|type=sha"

DOCUMENTED = [
    # Basic
    ("pull_request", "", "", "pr-15"),
    ("push master", "", "", "master"),
    ("push releases/v1", "", "", "releases-v1"),
    ("tag v1.2.3", "", "", "v1.2.3 latest"),
    ("tag v2.0.8-beta.67", "", "", "v2.0.8-beta.67 latest"),
    ("workflow_dispatch master", "", "", "master"),
    # Semver
    *(
        (ref, f"type=ref,event=branch|type=ref,event=pr|{ALL_OF_SEMVER[:-30]}", "", names)
        for ref, names in (
            ("pull_request", "pr-15"),
            ("push releases/v1", "releases-v1"),
            ("tag v1.2.3", "1.2.3 1.2 latest"),
            ("tag v2.0.8-beta.67", "2.0.8-beta.67"),
        )
    ),
    # The type schedule.
    ("schedule master", "type=schedule", "", "nightly"),
    ("schedule master", "type=schedule,pattern=nightly", "", "nightly"),
    ("schedule master", "type=schedule,pattern={{date 'YYYYMMDD'}}", "", "20200110"),
    (
        "schedule master",
        "type=schedule,pattern={{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}",
        "",
        "20200110-093000",
    ),
    # The type semver.
    *(
        (f"tag {tag}", SEMVER + pattern, "latest=false", name)
        for tag, pattern, name in (
            ("v1.2.3", "{{raw}}", "v1.2.3"),
            ("v1.2.3", "{{version}}", "1.2.3"),
            ("v1.2.3", "{{major}}.{{minor}}", "1.2"),
            ("v1.2.3", "v{{major}}", "v1"),
            ("v1.2.3", "{{minor}}", "2"),
            ("v1.2.3", "{{patch}}", "3"),
            ("p1/v1.2.3", r"{{version}},match=v(\d.\d.\d)$", "1.2.3"),
            ("v2.0.8-beta.67", "{{raw}}", "v2.0.8-beta.67"),
            ("v2.0.8-beta.67", "{{version}}", "2.0.8-beta.67"),
            ("v2.0.8-beta.67", "{{major}}", "2.0.8-beta.67"),
            ("v2.0.8-beta.67", "{{major}}.{{minor}}", "2.0.8-beta.67"),
        )
    ),
    ("push dev", f"{SEMVER}{{{{version}}}},value=v1.0.0", "", "1.0.0 latest"),
    (
        "push dev",
        rf"{SEMVER}{{{{version}}}},value=p1/v1.0.0,match=v(\d.\d.\d)$",
        "",
        "1.0.0 latest",
    ),
    # The type pep440.
    *(
        (f"tag {tag}", PEP440 + pattern, "latest=false", name)
        for tag, pattern, name in (
            ("1.2.3", "{{raw}}", "1.2.3"),
            ("1.2.3", "{{version}}", "1.2.3"),
            ("v1.2.3", "{{version}}", "1.2.3"),
            ("1.2.3", "{{major}}.{{minor}}", "1.2"),
            ("1.2.3", "v{{major}}", "v1"),
            ("v1.2.3rc2", "{{raw}}", "v1.2.3rc2"),
            ("1.2.3rc2", "{{version}}", "1.2.3rc2"),
            ("p1/v1.2.3", r"{{version}},match=v(\d.\d.\d)$", "1.2.3"),
            ("1.2.3rc2", "{{major}}.{{minor}}", "1.2.3rc2"),
            ("1.2.3post1", "{{major}}.{{minor}}", "1.2.3.post1"),
            ("1.2.3beta2", "{{major}}.{{minor}}", "1.2.3b2"),
            ("1.0dev4", "{{major}}.{{minor}}", "1.0.dev4"),
        )
    ),
    # The type match.
    *(
        (f"tag {tag}", f"{MATCH}{pattern},group={group}", "latest=false", name)
        for tag, pattern, group, name in (
            ("v1.2.3", r"\d.\d.\d", 0, "1.2.3"),
            ("v2.0.8-beta.67", "v(.*)", 1, "2.0.8-beta.67"),
            ("v2.0.8-beta.67", r"v(\d.\d)", 1, "2.0"),
            ("20200110-RC2", r"\d+", 0, "20200110"),
            ("p1/v1.2.3", r"p1/v(\d.\d.\d)", 1, "1.2.3"),
        )
    ),
    ("push dev", f"{MATCH}v(.*),group=1,value=v1.0.0", "", "1.0.0 latest"),
    # The type edge.
    ("push master", "type=edge", "", "edge"),
    ("push main", "type=edge,branch=main", "", "edge"),
    ("push dev", "type=edge", "", ""),
    # The type ref.
    ("pull_request", "type=ref,event=pr", "", "pr-15"),
    ("push master", "type=ref,event=branch", "", "master"),
    ("push my/branch", "type=ref,event=branch", "", "my-branch"),
    ("tag v1.2.3", "type=ref,event=tag", "", "v1.2.3 latest"),
    ("tag v2.0.8-beta.67", "type=ref,event=tag", "latest=false", "v2.0.8-beta.67"),
    ("workflow_dispatch master", "type=ref,event=branch", "", "master"),
    # The type raw.
    ("push dev", f"{RAW}foo|{RAW}bar|type=raw,foo2|bar2", "", "foo bar foo2 bar2"),
    # The type sha.
    ("push dev", "type=sha", "", "sha-860c190"),
    ("push dev", "type=sha,format=long", "", f"sha-{SHA}"),
    # Notes
    ("push master", f"{RAW}latest,enable={{{{is_default_branch}}}}", "", "latest"),
    ("push dev", f"{RAW}latest,enable={{{{is_default_branch}}}}", "", ""),
    ("push my/branch", "type=sha,prefix={{branch}}-", "", "my-branch-860c190"),
    ("push dev", f"{RAW}mytag-{{{{branch}}}}-{{{{sha}}}}", "", "mytag-dev-860c190"),
    *(
        (ref, f"{RAW}[{{{{{name}}}}}]", "", f"-{shown}-" if shown else "-")
        for name, ref, shown in (
            ("branch", "pull_request", ""),
            ("branch", "push my/branch", "my-branch"),
            ("branch", "tag v1.2.3", ""),
            ("tag", "pull_request", ""),
            ("tag", "push master", ""),
            ("tag", "tag v1.2.3", "v1.2.3"),
            ("base_ref", "pull_request", "master"),
            ("base_ref", "push my/branch", ""),
            ("base_ref", "tag v1.2.3", "master"),
            ("is_not_default_branch", "push master", "false"),
            ("is_not_default_branch", "push dev", "true"),
            ("date 'YYYYMMDD'", "push dev", "20200110"),
            ("commit_date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'", "push dev", "20200110-093000"),
        )
    ),
    (
        "tag v0.1.2",
        f"{SEMVER}{{{{version}}}}|{SEMVER}{{{{major}}}},enable=false",
        "",
        "0.1.2 latest",
    ),
]

FIXED = [
    ("nothing", "", "", ""),
    ("nothing", "type=sha|type=raw,{{branch}}", "", ""),
    ("push dev", "type=ref,event=branch|type=sha", "", "dev sha-860c190"),
    ("push master", "type=edge,branch=dev|type=sha", "", "sha-860c190"),
    ("push my/feature#1245", "type=ref,event=branch|type=edge", "", "my-feature-1245"),
    ("push my/feature#1245", f"{ALL_OF_SEMVER}|{ALL_OF_PEP440}|type=edge", "", ""),
    ("push master", "type=ref,priority=2000,event=branch|type=edge", "", "master edge"),
    ("push master", f"{SEMVER}{{{{version}}}},value=v1.2.3|type=edge", "", "1.2.3 edge latest"),
    ("push master", f"{MATCH}v(.*),group=1,value=v1.2.3|type=edge", "", "1.2.3 edge latest"),
    ("push master", f"{MATCH}v(.*),enable=false,value=v1.2.3|type=edge", "", "edge"),
    ("tag 20200110-RC2", rf"{MATCH}(.*)-RC,group=1", "latest=false", "20200110"),
    ("tag v2.0.8-beta.67", rf"{MATCH}\d.\d.\d-(alpha|beta).\d+".replace("|", "."), "", ""),
    (
        "tag v2.0.8-beta.67",
        f"{MATCH}v(.*)-beta.(.*),group=1|{MATCH}v(.*)-beta.(.*),group=2",
        "",
        "2.0.8 67 latest",
    ),
    ("tag sometag", rf"{MATCH}\d.\d", "", ""),
    ("tag v1.1.1", ALL_OF_SEMVER, "", "1.1.1 1.1 1 latest"),
    ("tag v1.1.1", f"{ALL_OF_SEMVER}.{{{{minor}}}}.{{{{patch}}}}", "", "1.1.1 1.1 latest"),
    ("tag sometag", f"type=ref,event=tag|{ALL_OF_SEMVER}", "latest=false", "sometag"),
    (
        "tag v2.0.8-beta.67",
        rf"type=raw,priority=2000,foo|{SEMVER}{{{{version}}}}|{MATCH}\d.\d",
        "",
        "foo 2.0.8-beta.67 2.0",
    ),
    (
        "tag p1/v1.0.0",
        rf"{MATCH}{RELEASE_OR_NUMBER},group=1|{MATCH}\d.\d.\d|{MATCH}\d.\d|type=sha",
        "",
        "1.0.0 1.0 sha-860c190 latest",
    ),
    ("tag p1/v1.0.0", rf"{MATCH}p1/v(\d.\d),group=3|type=sha", "", "sha-860c190"),
    (
        "tag p1/v1.0.0",
        rf"{MATCH}p1/v(\d.\d.\d),group=1|{MATCH}p1/v(\d.\d),group=1,suffix=|type=sha",
        "suffix=-dev",
        "1.0.0-dev 1.0 sha-860c190-dev latest",
    ),
    (
        "tag v1.1.1",
        "type=raw,{{tag}}-{{sha}}-foo|type=raw,{{base_ref}}-foo|type=raw,x,enable={{is_default_branch}}",
        "",
        "v1.1.1-860c190-foo master-foo",
    ),
    ("tag v1.1.1", f"{SEMVER}{{{{version}}}}", "suffix=-dev,onlatest=true", "1.1.1-dev latest-dev"),
    (
        "tag v1.1.1",
        f"{SEMVER}{{{{version}}}}",
        "prefix=foo-,onlatest=true|suffix=-dev,onlatest=true",
        "foo-1.1.1-dev foo-latest-dev",
    ),
    ("tag v1.1.1", f"{PEP440}{{{{raw}}}}|{ALL_OF_PEP440}", "", "v1.1.1 1.1.1 1.1 1 latest"),
    ("tag 1.2", ALL_OF_PEP440, "", "1.2 1 latest"),
    ("tag 1.1beta2", ALL_OF_PEP440, "", "1.1b2"),
    ("tag 1.2post1", ALL_OF_PEP440, "", "1.2.post1"),
    ("tag v1.2.3rc2", f"{PEP440}{{{{raw}}}}|{ALL_OF_PEP440}", "", "v1.2.3rc2 1.2.3rc2"),
    ("pull_request", "type=ref,event=pr|type=sha", "", "pr-15 sha-a9c8c58"),
    ("pull_request", "type=sha,priority=2000|type=ref,event=pr", "", "sha-a9c8c58 pr-15"),
    ("pull_request", "type=ref,event=pr", "prefix=glo-|suffix=-bal", "pr-15-bal"),
    ("pull_request", "type=ref,event=pr,prefix=", "prefix=glo-|suffix=-bal", "15-bal"),
    ("pull_request", f"{RAW}{{{{commit_date YYYY-MM}}}}", "", "2020-01-10T00-30-00Z"),
    ("pull_request_target", f"{FOUND}|type=sha,format=long", "", f"pr-15 sha-2665741 sha-{MASTER}"),
    ("pull_request_target", "type=raw,x-{{base_ref}}", "", "x-master"),
    ("schedule master", "", "", "nightly master"),
    ("schedule master", "type=schedule", "prefix=glo-|suffix=-bal", "glo-nightly-bal"),
    ("schedule dev", f"{RAW}x,enable={{{{is_default_branch}}}}", "", "x"),
    ("create dev", f"{RAW}x,enable={{{{is_default_branch}}}}", "", "x"),
    ("release v1.1.1", f"{RAW}base-{{{{base_ref}}}}|type=ref,event=tag", "", "v1.1.1 base- latest"),
    ("push dev", "type=ref,priority=90,event=branch|my|tags", "latest=true", "my tags dev latest"),
    ("push dev", "type=raw,my,prefix=foo-,suffix=-bar|own", "prefix=glo-", "foo-my-bar glo-own"),
    ("push dev", f"{RAW}a=b|{RAW}{{{{#if tag}}}}t{{{{else}}}}n{{{{/if}}}}", "", "a-b n"),
    # Quotes are gone when the rule is read, and with them what held its commas together.
    ("tag release12", r'type=match,"pattern=^release\d{1,2}"|x', "", "x"),
]
