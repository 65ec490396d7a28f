from dataclasses import dataclass, field, asdict
from typing import List, Optional
@dataclass(order=True)
class P:
    x: int
    y: List[int] = field(default_factory=list)
    z: Optional[str] = None
print(P(1), asdict(P(2, [3])), P(1) < P(2), P.__annotations__)
