"""Sleep: what was rewarded while awake is compressed, so that its parts become single acts."""

from collections import Counter
from collections.abc import Sequence

Acts = tuple[int, ...]


def saving(count: int, length: int) -> int:
    """How many symbols fewer the day takes when n-grams that occur so often are one symbol.

    Each occurrence after the first saves all acts but one, and the new symbol has to be kept.
    """
    return (count - 1) * (length - 1) - 1


def compress(days: Sequence[Acts], shortest: int = 2, longest: int = 6) -> list[Acts]:
    r"""Find the parts that sequences of acts are made of.

    Minimum description length, greedily (Nevill-Manning & Witten 1997, doi:10.1613/jair.374;
    the rewriting of whole n-grams instead of pairs is what lets triples be found): the n-gram w
    of largest saving

    .. math:: (c_w - 1)(|w| - 1) - 1, \qquad c_w \ge 2

    becomes a symbol, all its occurrences are replaced, and so on while anything is saved. A symbol
    may hold earlier symbols.

    Args:
        days: one rewarded sequence of acts for each task.
        shortest: least symbols of an n-gram.
        longest: most symbols of an n-gram.

    Returns:
        The parts, spelt out in acts, as found: those that save most come first.

    """
    spelling: dict[int, Acts] = {act: (act,) for day in days for act in day}
    texts = [tuple(day) for day in days]
    fresh = max(spelling, default=-1) + 1
    parts: list[Acts] = []
    while True:
        best = _best(texts, shortest, longest)
        if best is None:
            return parts
        spelling[fresh] = tuple(act for symbol in best for act in spelling[symbol])
        parts.append(spelling[fresh])
        texts = [_replaced(text, best, fresh) for text in texts]
        fresh += 1


def _best(texts: list[Acts], shortest: int, longest: int) -> Acts | None:
    """N-gram of largest saving, or None; of equals the longer, then the smaller."""
    counts: Counter[Acts] = Counter()
    for length in range(shortest, longest + 1):
        seen = {gram for text in texts for gram in _grams(text, length)}
        for gram in seen:
            counts[gram] = sum(_occurrences(text, gram) for text in texts)
    worth = [(saving(c, len(w)), len(w), tuple(-x for x in w), w) for w, c in counts.items()]
    worth = [entry for entry in worth if entry[0] > 0]
    return max(worth)[3] if worth else None


def _grams(text: Acts, length: int) -> list[Acts]:
    return [text[i : i + length] for i in range(len(text) - length + 1)]


def _occurrences(text: Acts, gram: Acts) -> int:
    """How often it occurs without overlap."""
    return sum(symbol is None for symbol in _marked(text, gram))


def _marked(text: Acts, gram: Acts) -> list[int | None]:
    """Text with None for each occurrence."""
    out: list[int | None] = []
    i = 0
    while i < len(text):
        if text[i : i + len(gram)] == gram:
            out.append(None)
            i += len(gram)
        else:
            out.append(text[i])
            i += 1
    return out


def _replaced(text: Acts, gram: Acts, symbol: int) -> Acts:
    return tuple(symbol if x is None else x for x in _marked(text, gram))
