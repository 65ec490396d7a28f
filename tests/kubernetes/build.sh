#!/bin/sh
# kube-apiserver and kube-controller-manager of the version in servers/go.mod, into FOLDER; nothing if they are there.
# Usage: build.sh FOLDER.  Prints where they are.  They take the better part of an hour on two cores, once.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^require k8s.io\/kubernetes \(v[0-9.]*\).*/\1/p' "$here/servers/go.mod")
[ -n "$version" ] || { echo "build.sh: servers/go.mod names no version of k8s.io/kubernetes" >&2; exit 1; }
mkdir -p "$1"
out=$(cd "$1" && pwd)/$version
if [ ! -x "$out/kube-apiserver" ] || [ ! -x "$out/kube-controller-manager" ]; then
    command -v go >/dev/null || { echo "build.sh: no go (1.26 or later) to build Kubernetes $version with" >&2; exit 1; }
    minor=${version#v1.}
    v=k8s.io/component-base/version
    (cd "$here/servers" && go build -mod=readonly -trimpath -buildvcs=false -o "$out.new/" \
        -ldflags "-s -w -X $v.gitVersion=$version -X $v.gitMajor=1 -X $v.gitMinor=${minor%%.*}" \
        k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager) >&2
    mkdir -p "$out"
    mv "$out.new"/* "$out/"
    rmdir "$out.new"
fi
echo "$out"
