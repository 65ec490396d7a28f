print("descending", flush=True)


def deeper():
    return deeper() + 1


deeper()
