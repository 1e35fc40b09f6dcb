"""The programs that CodeBuild's images have and others lack, as scripts for the job's PATH."""

from __future__ import annotations

# AWS CodeBuild User Guide: parallel-test-tests-run, caching, session-manager.
_HASH = """\
#!/usr/bin/env bash
# Prints one digest of the files that its arguments (paths or globs, ** too) name.
set -u
shopt -s globstar nullglob dotglob
files=()
for pattern in "$@"; do
  for file in $pattern; do [[ -f $file ]] && files+=("$file"); done
done
((${#files[@]})) || { echo "codebuild-hash-files: no file matches: $*" >&2; exit 1; }
printf '%s\\0' "${files[@]}" | sort -zu | xargs -0 cat -- | sha256sum | cut -d ' ' -f 1
"""
_GLOB = """\
#!/usr/bin/env bash
# Prints the files that its arguments (globs, ** too) name, one a line.
set -u
shopt -s globstar nullglob
for pattern in "$@"; do
  for file in $pattern; do [[ -f $file ]] && printf '%s\\n' "$file"; done
done | sort -u
"""
_TESTS = """\
#!/usr/bin/env bash
# Runs a test command with this build's share of the test files of a batch's build-fanout.
set -u
command= search= strategy=equal-distribution
while (($#)); do
  case $1 in
    --test-command) command=${2-}; shift ;;
    --files-search) search=${2-}; shift ;;
    --sharding-strategy) strategy=${2-}; shift ;;
    *) echo "codebuild-tests-run: unknown argument: $1" >&2; exit 2 ;;
  esac
  shift
done
if [[ -z $command || -z $search ]]; then
  echo "codebuild-tests-run: --test-command and --files-search are needed" >&2
  exit 2
fi
case $strategy in
  equal-distribution|stability) ;;
  *) echo "codebuild-tests-run: unknown sharding strategy: $strategy" >&2; exit 2 ;;
esac
index=${CODEBUILD_SHARD_INDEX:-0} count=${CODEBUILD_SHARD_COUNT:-1}
mine=() number=0
while IFS= read -r file; do
  [[ -n $file ]] || continue
  if [[ $strategy == stability ]]; then
    number=$((16#$(printf %s "$file" | sha256sum | cut -c 1-8)))
  fi
  ((number % count == index)) && mine+=("$file")
  number=$((number + 1))
done < <(eval "$search" | sort -u)
echo "codebuild-tests-run: ${#mine[@]} test files in shard $((index + 1)) of $count"
((${#mine[@]})) || exit 0
export CODEBUILD_CURRENT_SHARD_FILES
CODEBUILD_CURRENT_SHARD_FILES=$(printf '%s\\n' "${mine[@]}")
if [[ $command == *CODEBUILD_CURRENT_SHARD_FILES* ]]; then
  eval "$command"
else
  eval "$command $(printf '%q ' "${mine[@]}")"
fi
"""
_BREAKPOINT = """\
#!/bin/sh
# At CodeBuild this pauses a build that Session Manager looks into; here there is nobody to wait for.
echo "codebuild-breakpoint: no session is attached to this build, going on" >&2
"""

PROGRAMS = {
    "codebuild-hash-files": _HASH,
    "codebuild-glob-search": _GLOB,
    "codebuild-tests-run": _TESTS,
    "codebuild-breakpoint": _BREAKPOINT,
}
