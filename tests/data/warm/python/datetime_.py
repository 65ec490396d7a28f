from datetime import *
print(datetime(2024, 2, 29, 12) + timedelta(days=366), date(2000, 1, 1).strftime("%A %B"), datetime(2020, 1, 1, tzinfo=timezone.utc).isoformat())
