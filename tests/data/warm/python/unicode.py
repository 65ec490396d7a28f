s = "naïve — Ελληνικά, русский, 日本語, 😀 \U0001F9D1\u200d\U0001F680 \u0301e"
print(s, len(s), s.upper(), s.encode("utf-8"), ascii(s))
print("\udc80".encode("utf-8", "surrogateescape"))
print("ß".casefold(), "İ".lower().encode())
ünï = 3
print(ünï)
