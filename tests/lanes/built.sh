# built.sh - what of a build a lane takes along (sourced by run.sh and vm.sh): paths below the build's directory.
built() { # built BUILD
    local each
    (
        cd "$1"
        for each in execd execd-jailer execd-init execd-probe execd-zygote execctl execd-jailer-mutant execd-init-mutant \
            plugins/*.so tests/attacks/lang-hostile.so tests/support/inject; do
            [ ! -e "$each" ] || printf '%s\n' "$each"
        done
    )
}
