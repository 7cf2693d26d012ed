"""From pairs to persons: who is linked with whom, directly or by others, and where a chain is cut.

Belongs here: connected records, and the strongest links that contradict nothing. Does not belong here: names of persons (``persons``).
The result depends on records, links and decisions alone, not on the order in which they came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_matrix  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from hic_assets.linkage.verdict import APART, LINK

Ids = NDArray[np.int64]


def clusters(frame: pl.DataFrame, pairs: pl.DataFrame, decided: pl.DataFrame, one_to_one: Collection[str]) -> Ids:
    """The cluster of every row of ``frame`` (``NORMALISED`` with ``id``, which counts from 0), named by its smallest id.

    ``pairs`` has id_l, id_r, weight and verdict; ``decided`` id_l, id_r and accepted. ``one_to_one`` names the systems of which no
    two records are one person. A component in which two records contradict one another is taken apart: links join again
    from the strongest down, those that would bring a contradiction together are left out.
    """
    links = pairs.filter(pl.col("verdict") == LINK).join(decided, on=["id_l", "id_r"], how="anti")
    accepted = decided.filter("accepted").select("id_l", "id_r", weight=pl.lit(float("inf")))
    links = pl.concat([accepted, links.select("id_l", "id_r", "weight")]).sort(
        ["weight", "id_l", "id_r"], descending=[True, False, False]
    )
    apart = pl.concat(
        [
            decided.filter(~pl.col("accepted")).select("id_l", "id_r", hard=pl.lit(True)),
            pairs.filter(pl.col("verdict") == APART).join(decided, on=["id_l", "id_r"], how="anti").select("id_l", "id_r", hard=pl.lit(False)),
        ]
    )  # fmt: skip
    label = _components(frame.height, links["id_l"].to_numpy(), links["id_r"].to_numpy())
    doubtful = _doubtful(frame, label, apart, one_to_one)
    inside = pl.Series(label).gather(links["id_l"]).is_in(doubtful.implode())
    facts = _facts(frame, label, doubtful, one_to_one)
    for members, some in _by_component(label, links.filter(inside), apart, doubtful):
        for record, root in _joined(members, some, facts).items():
            label[record] = root
    return label


def _components(records: int, left: Ids, right: Ids) -> Ids:
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(records, records))
    _, label = connected_components(graph, directed=False)
    _, first = np.unique(label, return_index=True)
    named: Ids = first[label].astype(np.int64)
    return named


def _doubtful(frame: pl.DataFrame, label: Ids, apart: pl.DataFrame, one_to_one: Collection[str]) -> pl.Series:
    """Components that hold a contradiction, perhaps."""
    of = pl.Series("component", label)
    named = frame.select("system", "nid13", component=of)
    numbers = named.drop_nulls("nid13").unique(["nid13", "component"]).filter(pl.col("component").is_duplicated())
    single = named.filter(pl.col("system").is_in(list(one_to_one)))
    single = single.filter(pl.struct("system", "component").is_duplicated())
    ends = pl.DataFrame({"a": of.gather(apart["id_l"]), "b": of.gather(apart["id_r"])}).filter(
        pl.col("a") == pl.col("b")
    )
    return pl.concat([numbers["component"], single["component"], ends["a"].rename("component")]).unique()


@dataclass
class _Links:
    links: list[tuple[int, int, float]] = field(default_factory=list)
    apart: dict[int, dict[int, bool]] = field(default_factory=lambda: defaultdict(dict))


def _by_component(
    label: Ids, links: pl.DataFrame, apart: pl.DataFrame, doubtful: pl.Series
) -> Iterator[tuple[list[int], _Links]]:
    found: dict[int, _Links] = {int(c): _Links() for c in doubtful}
    for left, right, weight in links.iter_rows():
        found[int(label[left])].links.append((left, right, weight))
    for left, right, hard in apart.iter_rows():
        if label[left] == label[right] and (some := found.get(int(label[left]))):
            for one, other in ((left, right), (right, left)):
                some.apart[one][other] = hard or some.apart[one].get(other, False)
    members: dict[int, list[int]] = defaultdict(list)
    for record in np.nonzero(np.isin(label, doubtful.to_numpy()))[0].tolist():
        members[int(label[record])].append(record)
    for component, some in found.items():
        yield members[component], some


def _facts(
    frame: pl.DataFrame, label: Ids, doubtful: pl.Series, one_to_one: Collection[str]
) -> dict[int, tuple[str | None, str | None]]:
    """Of the records of doubtful components: national ID, and the system where it is one to one."""
    some = frame.select("id", "nid13", single=pl.when(pl.col("system").is_in(list(one_to_one))).then("system"))
    some = some.filter(pl.Series(label).is_in(doubtful.implode()))
    return {record: (number, single) for record, number, single in some.iter_rows()}


def _joined(members: list[int], some: _Links, facts: dict[int, tuple[str | None, str | None]]) -> dict[int, int]:
    """The smallest record of the cluster of each."""
    cluster = {record: [record] for record in members}
    for left, right, weight in some.links:
        one, other = cluster[left], cluster[right]
        if one is other or not _may_join(one, other, some, facts, decided=weight == float("inf")):
            continue
        one.extend(other)
        for record in other:
            cluster[record] = one
    return {record: min(together) for record, together in cluster.items()}


def _may_join(
    one: list[int], other: list[int], some: _Links, facts: dict[int, tuple[str | None, str | None]], decided: bool
) -> bool:
    """Does nothing in the one contradict anything in the other? A decision to join gives way to a decision to part only."""
    for record in one:
        parted = some.apart.get(record, {})
        if any(o in parted and (parted[o] or not decided) for o in other):
            return False
    if decided:
        return True
    systems = {facts[r][1] for r in one} & {facts[r][1] for r in other} - {None}
    return not systems and not _contradict((facts[r][0] for r in one), (facts[r][0] for r in other))


def _contradict(one: Iterable[str | None], other: Iterable[str | None]) -> bool:
    """Two national IDs that are more than one slip of the pen apart."""
    here, there = {n for n in one if n}, {n for n in other if n}
    return any(not slip(a, b) for a in here for b in there)


def slip(one: str, other: str) -> bool:
    """The same, one digit different, or two neighbours exchanged."""
    wrong = [i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    if len(wrong) < 2:
        return True
    i, j = wrong[0], wrong[-1]
    return len(wrong) == 2 and j == i + 1 and one[i] == other[j] and one[j] == other[i]
