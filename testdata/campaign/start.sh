#!/bin/sh
# start.sh DIRECTORY: makes git repositories of the three programs here, and the campaign.yaml beside them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/repos"
cp "$here/campaign.yaml" "$1"
for name in cart checkout mail; do
	cp -R "$here/$name" "$1/repos"
	cd "$1/repos/$name"
	git init -q
	git add -A
	git -c user.name=demo -c user.email=demo@localhost -c commit.gpgSign=false commit -q --no-verify -m "$name"
	cd - >/dev/null
done
