"""Rate maps of cells over places, and the usual figures of them."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, rotate
from scipy.signal import fftconvolve

Array = NDArray[np.float64]

_LEAST_OVERLAP = 20  # (Bins) shared by a map and its shifted copy, for their correlation to count


def rate_map(place: Array, rate: Array, bin_size: float, smooth: float = 1.0) -> tuple[Array, ...]:
    """Mean rate by place.

    Args:
        place: (t, 2) in m.
        rate: (t,).
        bin_size: in m.
        smooth: standard deviation of a Gaussian, in bins; 0 for none.

    Returns:
        Rate (x, y), NaN where nobody was; samples (x, y) taken there; edges in x
        and in y, m.

    """
    low, high = place.min(axis=0), place.max(axis=0)
    x, y = (np.arange(low[i], high[i] + bin_size + 1e-9, bin_size) for i in range(2))
    visits: Array = np.histogramdd(place, bins=[x, y])[0]
    total: Array = np.histogramdd(place, bins=[x, y], weights=rate)[0]
    seen = visits > 0
    if smooth:
        total, spread = gaussian_filter(total, smooth), gaussian_filter(visits, smooth)
    else:
        spread = visits
    rates = np.where(seen, total / np.maximum(spread, 1e-12), np.nan)
    return rates, visits, x, y


def spatial_information(rates: Array, visits: Array) -> float:
    r"""Bits per spike that a cell tells of the place.

    .. math:: I = \sum_i p_i \frac{r_i}{\bar r} \log_2 \frac{r_i}{\bar r}

    (Skaggs, McNaughton, Gothard & Markus 1993, Advances in Neural Information Processing 5).

    Args:
        rates: r, any shape, not negative; NaN where nobody was.
        visits: how often each bin was visited, the same shape.

    """
    seen = np.isfinite(rates) & (visits > 0)
    p = visits[seen] / visits[seen].sum()
    mean = float((p * rates[seen]).sum())
    if mean <= 0.0:
        return 0.0
    ratio = rates[seen] / mean
    return float((p * ratio * np.log2(np.where(ratio > 0, ratio, 1.0))).sum())


def autocorrelogram(rates: Array) -> Array:
    """Pearson correlation of a map (x, y) with itself at every shift, (2 x − 1, 2 y − 1).

    Bins where nobody was are left out; NaN where too few are shared (Sargolini et al. 2006,
    doi:10.1126/science.1125572).
    """
    seen = np.isfinite(rates).astype(float)
    value = np.where(seen > 0, rates - np.nanmean(rates), 0.0)

    def products(a: Array, b: Array) -> Array:
        return np.asarray(fftconvolve(a, b[::-1, ::-1]))

    shared = np.rint(products(seen, seen))
    n = np.maximum(shared, 1.0)
    first, second = products(value, seen) / n, products(seen, value) / n
    joint = products(value, value) / n - first * second
    spread = (products(value**2, seen) / n - first**2) * (products(seen, value**2) / n - second**2)
    correlation = joint / np.sqrt(np.maximum(spread, 1e-12))
    return np.where(shared >= _LEAST_OVERLAP, correlation, np.nan)


def grid_score(correlogram: Array, inner: float, outer: float) -> float:
    """Tell how hexagonal a map is: above 0 for grid cells, about −0.5 for square lattices.

    The ring of the autocorrelogram around its middle is correlated with itself turned: the least
    of 60° and 120° minus the most of 30°, 90° and 150° (Sargolini et al. 2006,
    doi:10.1126/science.1125572). NaN where the ring was not seen.

    Args:
        correlogram: (x, y) with the middle in the middle.
        inner: radius of the ring in bins, within the first ring of peaks.
        outer: radius beyond it.

    """
    x, y = np.indices(correlogram.shape)
    middle = (np.array(correlogram.shape) - 1) / 2
    radius = np.hypot(x - middle[0], y - middle[1])
    ring = (radius >= inner) & (radius <= outer) & np.isfinite(correlogram)
    filled = np.where(np.isfinite(correlogram), correlogram, 0.0)
    known = np.isfinite(correlogram).astype(float)

    def turned(degrees: int) -> float:
        other = rotate(filled, degrees, reshape=False, order=1)
        valid = ring & (rotate(known, degrees, reshape=False, order=1) > 0.99)
        if valid.sum() < _LEAST_OVERLAP:
            return float("nan")
        return float(np.corrcoef(filled[valid], other[valid])[0, 1])

    return min(turned(60), turned(120)) - max(turned(30), turned(90), turned(150))
