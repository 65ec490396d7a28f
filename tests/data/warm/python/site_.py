import site, sys
print(site.ENABLE_USER_SITE, site.USER_SITE, site.USER_BASE, site.PREFIXES, site.getsitepackages(), site.getusersitepackages())
print(sorted(n for n in dir(site)))
