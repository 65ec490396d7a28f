# -*- coding: utf-8 -*-
print("kodierung: ü")
