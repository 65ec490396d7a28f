//go:build servers

// Package servers names the programs of Kubernetes that the tests run; `./dev test-k8s` builds them from the Go module proxy.
package servers

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
)
