import os

made, seen = 0, 0
for top in ("/box", "/tmp", "/dev", "/run", "/var", "/etc", "/home", "/root", "/opt", "/srv", "/mnt"):
    for directory, _, names in os.walk(top):
        seen += sum(n.startswith("MARKER") for n in names)
        try:
            open(directory + "/MARKER", "x").close()
            made += 1
        except OSError:
            pass
print("made", "some" if made >= 2 else "none")
print("seen", seen)
