from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.errors import NotEnoughData
from clv.models.gamma_gamma import BINNED_ABOVE, GammaGamma, _Likelihood, binned, winsorised_mean

NAMES = ("p", "q", "v")


@pytest.fixture(scope="module")
def repeat(cdnow: pd.DataFrame) -> GammaGamma:
    """Fitted to the repeat purchases only, as in the note."""
    return GammaGamma.fit(cdnow)


def spending(*pairs: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["frequency", "monetary_value"])


def test_the_sample_gives_our_estimate_to_six_digits(repeat: GammaGamma) -> None:
    assert [round(getattr(repeat, name), 6) for name in NAMES] == [6.249572, 3.744225, 15.443521]
    assert repeat.customers == 946


def test_the_sample_gives_the_notes_printed_digits(repeat: GammaGamma) -> None:
    assert [f"{getattr(repeat, name):.2f}" for name in NAMES] == ["6.25", "3.74", "15.44"]
    assert f"{repeat.log_likelihood:.4f}" == "-4055.9177"


def test_the_first_ten_customers_spend_as_published(
    repeat: GammaGamma, cdnow: pd.DataFrame
) -> None:
    means = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert repeat.expected_spend(cdnow.head(10)).round(2).tolist() == means


def test_all_cdnow_customers_give_the_published_estimate(
    summarise_cdnow: Callable[[str], pd.DataFrame],
) -> None:
    model = GammaGamma.fit(summarise_cdnow("master"))
    assert model.customers == 9450
    assert [f"{getattr(model, name):.5f}" for name in NAMES] == ["6.27536", "3.62445", "14.98369"]
    assert f"{model.log_likelihood:.4f}" == "-40763.4763"


def test_the_gradient_and_the_hessian_are_those_of_the_value(cdnow: pd.DataFrame) -> None:
    some = cdnow[(cdnow.frequency > 0) & (cdnow.monetary_value > 0)]
    counts = np.random.default_rng(4).integers(1, 5, len(some)).astype(float)
    likelihood = _Likelihood(some.frequency.to_numpy(float), some.monetary_value.to_numpy(), counts)
    point = np.array([4.0, 3.0, 20.0])
    _, gradient, hessian = likelihood(point)
    for place in range(3):
        step = np.zeros(3)
        step[place] = point[place] * 1e-5
        up, down = likelihood(point + step), likelihood(point - step)
        width = 2 * step[place]
        assert (up[0] - down[0]) / width == pytest.approx(gradient[place], rel=1e-5, abs=1e-4)
        np.testing.assert_allclose((up[1] - down[1]) / width, hessian[place], rtol=1e-5, atol=1e-3)


def test_a_customer_of_whom_nothing_is_known_spends_the_population_mean(repeat: GammaGamma) -> None:
    mean = repeat.p * repeat.v / (repeat.q - 1)
    assert repeat.population_mean == mean
    assert repeat.expected_spend(spending((0, float("nan"))))[0] == pytest.approx(mean)


def test_many_purchases_outweigh_the_population(repeat: GammaGamma) -> None:
    few, many = repeat.expected_spend(spending((1, 200.0), (500, 200.0)))
    assert repeat.population_mean < few < many < 200
    assert many == pytest.approx(200, rel=0.01)


def test_negative_spend_counts_as_nothing_and_never_turns_the_forecast(repeat: GammaGamma) -> None:
    refunded, nothing = repeat.expected_spend(spending((3, -50.0), (3, 0.0)))
    assert refunded == nothing
    assert 0 < nothing < repeat.population_mean


def test_customers_without_positive_spend_are_left_out_of_the_fit(
    repeat: GammaGamma, cdnow: pd.DataFrame
) -> None:
    refunded = spending(*[(2, -10.0)] * 40, *[(1, 0.0)] * 40)
    model = GammaGamma.fit(pd.concat([cdnow, refunded]))
    assert model.customers == 946
    assert model.p == pytest.approx(repeat.p, rel=1e-9)


def test_a_tail_without_a_mean_falls_back_to_the_winsorised_mean() -> None:
    rng = np.random.default_rng(5)
    means = rng.pareto(0.5, 500) + 1
    model = GammaGamma.fit(pd.DataFrame({"frequency": 3, "monetary_value": means}))
    assert model.q <= 1
    assert model.is_robust
    assert model.population_mean == model.robust_mean == pytest.approx(winsorised_mean(means))
    assert (
        model.expected_spend(spending((5, 1e6), (0, float("nan")))).tolist()
        == [model.robust_mean] * 2
    )


def test_one_price_for_all_is_expected_again() -> None:
    model = GammaGamma.fit(spending(*[(2, 20.0), (1, 20.0), (5, 20.0)] * 20))
    assert model.at_wall
    assert model.expected_spend(spending((0, float("nan")), (4, 20.0))) == pytest.approx(
        [20, 20], rel=0.01
    )


def test_the_unit_of_money_scales_the_forecast(repeat: GammaGamma, cdnow: pd.DataFrame) -> None:
    in_cents = cdnow.assign(monetary_value=cdnow.monetary_value * 100)
    model = GammaGamma.fit(in_cents)
    assert (model.p, model.q) == pytest.approx((repeat.p, repeat.q), rel=1e-8)
    np.testing.assert_allclose(
        model.expected_spend(in_cents), 100 * repeat.expected_spend(cdnow), rtol=1e-8
    )


def test_too_few_customers_are_refused_with_their_number() -> None:
    with pytest.raises(NotEnoughData, match="customers=3"):
        GammaGamma.fit(spending((1, 10.0), (2, 12.0), (1, 14.0), (0, 5.0)))


def test_a_weight_counts_for_as_many_equal_customers(cdnow: pd.DataFrame) -> None:
    weights = np.random.default_rng(6).integers(0, 4, len(cdnow))
    weighed = GammaGamma.fit(cdnow, weights)
    repeated = GammaGamma.fit(cdnow.loc[cdnow.index.repeat(weights)])
    assert weighed.customers == repeated.customers
    for name in ("log_likelihood", "robust_mean", *NAMES):
        assert getattr(weighed, name) == pytest.approx(getattr(repeated, name), rel=1e-9)
    np.testing.assert_allclose(weighed.log_covariance, repeated.log_covariance, rtol=1e-7)


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    """More customers than are looked at one by one."""
    rng = np.random.default_rng(7)
    x = rng.geometric(0.4, BINNED_ABOVE + 20_000).astype(float)
    m = rng.gamma(6.25 * x) * 15.44 / rng.gamma(3.74, size=len(x)) / x
    return pd.DataFrame({"frequency": x, "monetary_value": m})


def test_bins_move_neither_the_estimate_nor_its_errors(
    many: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_bins = GammaGamma.fit(many)
    monkeypatch.setattr("clv.models.gamma_gamma.BINNED_ABOVE", len(many))
    each = GammaGamma.fit(many)
    np.testing.assert_allclose(in_bins.parameters, each.parameters, rtol=2e-6)
    np.testing.assert_allclose(in_bins.log_covariance, each.log_covariance, rtol=1e-5)
    assert in_bins.robust_mean == pytest.approx(each.robust_mean, rel=1e-4)
    assert in_bins.customers == each.customers


def test_bins_of_batches_add_up_to_the_bins_of_all(many: pd.DataFrame) -> None:
    x, m = many.frequency.to_numpy(), many.monetary_value.to_numpy()
    counts = np.ones(len(x))
    batches = zip(
        *(binned(x[part], m[part], counts[part]) for part in np.array_split(range(len(x)), 3)),
        strict=True,
    )
    added = binned(*(np.concatenate(column) for column in batches))
    at_once = binned(x, m, counts)
    assert len(at_once[0]) < len(x) / 5
    for several, one in zip(added, at_once, strict=True):
        order_several, order_one = np.lexsort(added[:2]), np.lexsort(at_once[:2])
        np.testing.assert_allclose(several[order_several], one[order_one], rtol=1e-12)


def test_who_counts_for_nothing_is_in_no_bin(many: pd.DataFrame) -> None:
    nobody = spending((3, 1e9), (7, 1e-9))
    with_nobody = pd.concat([many, nobody])
    weights = np.repeat([1.0, 0.0], [len(many), len(nobody)])
    assert GammaGamma.fit(with_nobody, weights) == GammaGamma.fit(many)


@pytest.mark.parametrize("many_values", [1, 2, 25, 51, 300])
def test_counted_values_are_winsorised_like_repeated_ones(many_values: int) -> None:
    rng = np.random.default_rng(many_values)
    values, counts = rng.pareto(1.5, many_values), rng.integers(1, 9, many_values)
    # 1% and 99% of 200 steps fall on values, those of other numbers between two.
    counts[-1] += max(201 - counts.sum(), 0)
    repeated = np.repeat(values, counts)
    expected = np.clip(repeated, *np.quantile(repeated, (0.01, 0.99))).mean()
    assert winsorised_mean(values, counts.astype(float)) == pytest.approx(expected, rel=1e-12)


def test_a_model_survives_json(repeat: GammaGamma) -> None:
    assert GammaGamma.from_json(repeat.to_json()) == repeat


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1e9, 1e9))
def test_expected_spend_is_finite_and_never_negative(x: int, mean: float) -> None:
    model = GammaGamma(p=6.25, q=3.74, v=15.44, log_likelihood=0, customers=9, robust_mean=30)
    assert 0 <= model.expected_spend(spending((x, mean)))[0] < np.inf
