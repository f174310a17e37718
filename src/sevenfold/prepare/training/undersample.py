"""Under-sampling: rows of common labels are left out."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from sevenfold.errors import MachineError
from sevenfold.findings import Findings
from sevenfold.prepare.naming import REPLY
from sevenfold.prepare.training import Change
from sevenfold.prepare.training._groups import findings, groups_of, named
from sevenfold.schema import Chosen, build
from sevenfold.vectors import VECTORS, Vectors

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.dataset import Row
    from sevenfold.prepare.shelf import Shelf
    from sevenfold.prepare.work import Work

NEIGHBOURS = 3
"""Rows of rarer labels to which a row's nearness is measured, as in the paper."""
BLOCK = 1000
Multiple = Annotated[float, Field(ge=1)]
Rows = Annotated[int, Field(ge=1)]


class Undersample(Change):
    """Rows of common labels are left out until there are few enough; each is kept in ``dropped.jsonl``.

    ``near_miss`` keeps the rows whose mean cosine to their three nearest rows of labels that are not reduced is highest
    (NearMiss-1: Zhang and Mani 2003, "kNN approach to unbalanced data distributions"): those at the border, mislabelled
    ones among them. ``clusters`` makes as many clusters as rows are wanted and keeps the one nearest to each centre
    (Yen and Lee 2009, "Cluster-based under-sampling approaches for imbalanced data distributions"): what is kept is
    spread as all of it is. Both keep the vectors of all rows of prompts in memory: 4 bytes for each figure of a vector,
    4 kB a row with ``ngrams``; ``random`` keeps 8 bytes a row.
    """

    by: str = Field(REPLY, description="The column of the label, or reply: the last reply.")
    to: Literal["minority"] | Multiple | dict[str, Rows] = Field(
        "minority",
        union_mode="left_to_right",
        description="Rows of every label at most: minority, as many as the rarest label has; a multiple of that, from "
        "1; or {label: rows}.",
    )
    how: Literal["random", "near_miss", "clusters"] = Field(
        "random", description="Which rows stay: by chance, those nearest to other labels, or one of each cluster."
    )
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=lambda: build(VECTORS.find("ngrams"), {}, "ngrams"),
        description="What says which prompts are near to each other; not for random.",
    )

    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """The rows that stay, in their order."""
        groups = groups_of(shelf, self.by)
        before = {label: len(numbers) for label, numbers in groups.items()}
        wanted = self.wanted(before, work.name)
        reduced = [label for label, count in before.items() if wanted[label] < count]
        points = self.points(shelf, work) if reduced and self.how != "random" else None
        gone: set[int] = set()
        for label in reduced:
            numbers = groups[label]
            if points is None:
                kept = work.random(label).sample(numbers, wanted[label])
            elif self.how == "clusters":
                kept = [numbers[place] for place in central(points[numbers], wanted[label], work.seed)]
            else:
                others = [one for other in groups if other not in reduced for one in groups[other]]
                others = others or [one for other in groups if other != label for one in groups[other]]
                kept = [numbers[place] for place in nearest(points[numbers], points[others], wanted[label])]
            gone.update(set(numbers) - set(kept))
        for number, row in enumerate(shelf):
            if number in gone:
                work.drop(row, "undersampled")
            else:
                yield row
        return findings("under", before, wanted)

    def wanted(self, counts: Mapping[str, int], where: str) -> dict[str, int]:
        """How many rows each label keeps."""
        if isinstance(self.to, dict):
            asked = named(self.to, counts, f"prepare.training.{where}.to")
        else:
            most = round(min(counts.values(), default=0) * (1.0 if self.to == "minority" else self.to))
            asked = dict.fromkeys(counts, most)
        return {label: min(count, asked.get(label, count)) for label, count in counts.items()}

    def points(self, shelf: Shelf, work: Work) -> NDArray[numpy.float32]:
        """The vector of each row's prompt, ``N x D``."""
        import numpy

        parts, texts = [], list[str]()
        with work.console.task(f"{work.name} (vectors)", len(shelf)) as bar:
            for number, row in enumerate(shelf, start=1):
                texts.append("\n".join(message.content for message in row.conversation.prompt()))
                if len(texts) == BLOCK or number == len(shelf):
                    parts.append(self.vectors.of(texts))
                    bar.advance(len(texts))
                    texts.clear()
        return numpy.concatenate(parts)


def nearest(points_ND: NDArray[numpy.float32], others_MD: NDArray[numpy.float32], count: int) -> Sequence[int]:
    """The places of the points whose mean cosine to their nearest others is highest; of equal ones the first."""
    import numpy

    near = min(NEIGHBOURS, len(others_MD))
    means = [
        numpy.sort(points_ND[start : start + BLOCK] @ others_MD.T, axis=1)[:, -near:].mean(1)
        for start in range(0, len(points_ND), BLOCK)
    ]
    places: list[int] = numpy.argsort(-numpy.concatenate(means), kind="stable")[:count].tolist()
    return places


def central(points_ND: NDArray[numpy.float32], count: int, seed: int) -> Sequence[int]:
    """The place of the point nearest to the centre of each of some clusters, each point once.

    Raises:
        MachineError: scikit-learn is not installed.
    """
    import numpy

    try:
        from sklearn.cluster import MiniBatchKMeans
    except ImportError:
        raise MachineError(
            "clusters need the package scikit-learn", next_step="pip install 'sevenfold[prepare]', or how: random"
        ) from None
    clusters = MiniBatchKMeans(count, random_state=seed % 2**32, n_init=1, batch_size=BLOCK).fit(points_ND)
    gaps = numpy.linalg.norm(points_ND - clusters.cluster_centers_[clusters.labels_], axis=1)
    order = numpy.argsort(gaps, kind="stable")
    # The nearest point of each cluster first; an empty cluster's place goes to the next nearest point of another.
    firsts = order[numpy.sort(numpy.unique(clusters.labels_[order], return_index=True)[1])]
    rest = order[~numpy.isin(order, firsts)]
    places: list[int] = numpy.concatenate([firsts, rest])[:count].tolist()
    return places
