from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv.errors import BadSettings, BadSummary, NotEnoughData
from clv.models.beta_geo import BetaGeoNBD
from clv.models.beta_geo_beta_binomial import BetaGeoBetaBinomial
from clv.models.covariate_likelihood import BASE, Joint, Plain, kind_of
from clv.models.covariates import Covariates, WithCovariates
from clv.models.histories import grouped
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.models.pareto_nbd import ParetoNBD

#: Customers by search; those by email purchase e^.5 times as often and leave e^.6 times as fast.
SEARCH: tuple[Plain, ...] = (
    BetaGeoNBD(r=0.8, alpha=40.0, a=0.8, b=2.5),
    ModifiedBetaGeoNBD(r=0.8, alpha=40.0, a=0.8, b=2.5),
    ParetoNBD(r=0.8, alpha=40.0, s=0.7, beta=100.0),
)
PURCHASING, LEAVING = 0.5, 0.6
CHANNEL = ("purchasing channel=email", "leaving channel=email")

every_model = pytest.mark.parametrize("search", SEARCH, ids=[model.NAME for model in SEARCH])


def by_email(search: Plain) -> Plain:
    """The same with the effects of the channel."""
    r, alpha, third, fourth = search.parameters
    alpha *= np.exp(-PURCHASING)
    if isinstance(search, ParetoNBD):
        return search.with_parameters(np.array([r, alpha, third, fourth * np.exp(-LEAVING)]))
    return search.with_parameters(np.array([r, alpha, third * np.exp(LEAVING), fourth]))


def simulated(model: Any, many: int, rng: np.random.Generator, **levels: object) -> pd.DataFrame:
    ages = rng.integers(60, 700, many).astype(float)
    rows, times = model.draw_histories(ages, rng)
    last = np.zeros(many)
    np.maximum.at(last, rows, times)
    x = np.bincount(rows, minlength=many)
    return pd.DataFrame({"frequency": x, "recency": last, "T": ages, **levels})


def shop(search: Plain, many: int, rng: np.random.Generator) -> pd.DataFrame:
    """Six of ten came by search, four by email; countries make no difference."""
    parts = [
        simulated(search, many * 6 // 10, rng, channel="search"),
        simulated(by_email(search), many * 4 // 10, rng, channel="email"),
    ]
    both = pd.concat(parts, ignore_index=True)
    return both.assign(country=rng.choice(["de", "fr"], len(both), p=[0.7, 0.3]))


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return shop(SEARCH[0], 4000, np.random.default_rng(7))


@pytest.fixture(scope="module")
def model(customers: pd.DataFrame) -> WithCovariates:
    return WithCovariates.fit(BetaGeoNBD, customers, ["channel", "country"])


# -------------------------------------------------------------------------------- what is estimated


@every_model
def test_the_effects_of_a_channel_are_found_and_so_are_their_errors(search: Plain) -> None:
    rng = np.random.default_rng(19)
    away = []
    for _ in range(10):
        found = WithCovariates.fit(type(search), shop(search, 2000, rng), ["channel"])
        errors = [found.standard_errors[name] or np.nan for name in CHANNEL]
        effects = [found.coefficients[name] for name in CHANNEL]
        away.append((np.array(effects) - [PURCHASING, LEAVING]) / errors)
    assert np.all(np.abs(np.mean(away, axis=0)) < 3 / np.sqrt(10))
    assert np.all((np.std(away, axis=0) > 0.45) & (np.std(away, axis=0) < 1.6))


@every_model
def test_no_effect_is_found_where_there_is_none(search: Plain) -> None:
    """The test's p-values are as if drawn at random: few are small, and not all are large."""
    rng = np.random.default_rng(20)
    tests = []
    for _ in range(10):
        some = simulated(search, 1500, rng)
        some = some.assign(channel=rng.choice(["search", "email"], len(some), p=[0.6, 0.4]))
        found = WithCovariates.fit(type(search), some, ["channel"])
        tests.append(found.likelihood_ratio)
        assert abs(found.coefficients[CHANNEL[0]]) < 0.5
    assert {test.degrees for test in tests} == {2}
    assert min(test.p_value for test in tests) > 0.001
    assert 0.2 < np.mean([test.p_value for test in tests]) < 0.8


def test_the_test_tells_a_channel_from_a_country(customers: pd.DataFrame) -> None:
    by_channel = WithCovariates.fit(BetaGeoNBD, customers, ["channel"]).likelihood_ratio
    by_country = WithCovariates.fit(BetaGeoNBD, customers, ["country"])
    assert by_channel.p_value < 1e-10
    gain = by_country.log_likelihood - BetaGeoNBD.fit(customers).log_likelihood
    assert by_country.likelihood_ratio.statistic == pytest.approx(2 * gain, abs=1e-6)
    # With two degrees of freedom chi-squared is exponential.
    assert by_country.likelihood_ratio.p_value == pytest.approx(np.exp(-gain), rel=1e-6)
    assert by_country.likelihood_ratio.p_value > 0.01


def test_the_first_level_is_the_most_common_one(model: WithCovariates) -> None:
    assert model.levels == (("search", "email"), ("de", "fr"))
    assert model.names == (
        *("r", "alpha", "a", "b"),
        *("purchasing channel=email", "purchasing country=fr"),
        *("leaving channel=email", "leaving country=fr"),
    )


@every_model
def test_days_and_weeks_give_the_same_coefficients(search: Plain) -> None:
    days = shop(search, 1500, np.random.default_rng(12))
    weeks = days.assign(recency=days.recency / 7, T=days["T"] / 7)
    daily, weekly = (WithCovariates.fit(type(search), some, ["channel"]) for some in (days, weeks))
    assert weekly.coefficients == pytest.approx(daily.coefficients, abs=1e-6)
    assert weekly.baseline[1] * 7 == pytest.approx(daily.baseline[1], rel=1e-6)
    assert weekly.likelihood_ratio == pytest.approx(daily.likelihood_ratio, rel=1e-4)
    assert weekly.log_likelihood == pytest.approx(
        daily.log_likelihood + days.frequency.sum() * np.log(7), rel=1e-9
    )
    np.testing.assert_allclose(
        weekly.conditional_expected_purchases(52, weeks),
        daily.conditional_expected_purchases(364, days),
        rtol=1e-6,
    )


@every_model
def test_without_effects_the_baseline_is_the_plain_model(search: Plain) -> None:
    """Each customer once by search and once by email: there is nothing to tell them apart."""
    half = simulated(search, 800, np.random.default_rng(13), channel="search")
    both = pd.concat([half, half.assign(channel="email")])
    found = WithCovariates.fit(type(search), both, ["channel"])
    plain = type(search).fit(both)
    assert [*found.purchasing, *found.leaving] == pytest.approx([0, 0], abs=1e-6)
    assert found.baseline == pytest.approx(plain.parameters, rel=1e-5)
    assert found.likelihood_ratio.statistic == pytest.approx(0, abs=1e-6)


def test_weights_stand_for_as_many_customers(customers: pd.DataFrame) -> None:
    twice = pd.concat([customers, customers])
    doubled = WithCovariates.fit(BetaGeoNBD, customers, ["channel"], np.full(len(customers), 2.0))
    repeated = WithCovariates.fit(BetaGeoNBD, twice, ["channel"])
    assert doubled.customers == 8000
    assert doubled.parameters == pytest.approx(repeated.parameters, rel=1e-8)


def test_the_log_likelihood_is_that_of_the_plain_models_at_their_parameters(
    customers: pd.DataFrame, model: WithCovariates
) -> None:
    total = 0.0
    for _, some in customers.groupby(["channel", "country"]):
        plain = model.of(some.iloc[0])
        data = grouped(some, model="any")
        total += kind_of("BG/NBD").likelihood(*data)(plain.parameters)[0]
    assert total == pytest.approx(model.log_likelihood, rel=1e-12)


@every_model
def test_the_gradient_and_the_hessian_are_those_of_the_value(search: Plain) -> None:
    some = shop(search, 600, np.random.default_rng(2))
    parts = [grouped(part, model="any") for _, part in some.groupby(["channel", "country"])]
    z = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    joint = Joint(kind_of(search.NAME), z, parts)
    point = np.append(search.parameters, [1.3, 0.8, 0.7, 1.9])
    _, gradient, hessian = joint(point)
    for place in range(BASE + 4):
        step = np.zeros(len(point))
        step[place] = point[place] * 1e-5
        up, down = joint(point + step), joint(point - step)
        width = 2 * step[place]
        assert (up[0] - down[0]) / width == pytest.approx(gradient[place], rel=1e-4, abs=1e-3)
        np.testing.assert_allclose((up[1] - down[1]) / width, hessian[place], rtol=1e-4, atol=1e-2)


def test_a_level_of_which_hardly_anybody_came_back_stays_finite(customers: pd.DataFrame) -> None:
    """Too few for a level of their own; they are part of `other`."""
    silent = pd.DataFrame({"frequency": 0, "recency": 0.0, "T": 300.0, "channel": ["tv"] * 400})
    loud = simulated(SEARCH[0], 60, np.random.default_rng(1), channel="radio").query("frequency")
    some = pd.concat([customers, silent, loud.head(30)], ignore_index=True)
    found = WithCovariates.fit(BetaGeoNBD, some, ["channel"])
    assert found.levels == (("search", "email", "other"),)
    assert not found.at_wall
    assert all(error is not None for error in found.standard_errors.values())


# ----------------------------------------------------------------------------- levels, old and new


def test_rare_levels_are_pooled_and_new_ones_are_like_them(customers: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    rare = [simulated(SEARCH[0], 45, rng, channel=f"blog {number}") for number in range(4)]
    found = WithCovariates.fit(BetaGeoNBD, pd.concat([customers, *rare]), ["channel"])
    assert found.levels == (("search", "email", "other"),)
    one = customers.head(1)
    ahead = [
        found.conditional_expected_purchases(365, one.assign(channel=level))[0]
        for level in ("blog 2", "never seen", "other", "search")
    ]
    assert ahead[0] == ahead[1] == ahead[2] != ahead[3]


def test_where_rare_levels_are_few_altogether_they_are_like_the_most_common(
    customers: pd.DataFrame, model: WithCovariates
) -> None:
    few = simulated(SEARCH[0], 20, np.random.default_rng(3), channel="blog")
    found = WithCovariates.fit(BetaGeoNBD, pd.concat([customers, few]), ["channel"])
    assert found.levels == (("search", "email"),)
    one = customers.head(1).assign(channel="search")
    assert found.p_alive(one.assign(channel="never seen")) == found.p_alive(one)


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA, "", " "])
def test_what_is_missing_is_a_level_of_its_own(customers: pd.DataFrame, nothing: object) -> None:
    channel = customers.channel.astype(object).where(np.arange(len(customers)) % 3 > 0, nothing)
    found = WithCovariates.fit(BetaGeoNBD, customers.assign(channel=channel), ["channel"])
    assert set(found.levels[0]) == {"search", "email", "unknown"}
    one = customers.head(1)
    assert found.p_alive(one.assign(channel=[None])) == found.p_alive(one.assign(channel="unknown"))


def test_the_type_of_a_column_does_not_matter(customers: pd.DataFrame) -> None:
    coupon = (customers.channel == "email").astype(int)
    kinds = (coupon, coupon.astype(float), coupon.astype("category"), coupon.astype("string"))
    found = [WithCovariates.fit(BetaGeoNBD, customers.assign(c=kind), ["c"]) for kind in kinds]
    assert all(one.levels == (("0", "1"),) for one in found)
    assert all(one.coefficients == found[0].coefficients for one in found)


def test_the_order_of_rows_and_columns_does_not_matter(
    customers: pd.DataFrame, model: WithCovariates
) -> None:
    mixed = customers.sample(frac=1, random_state=2)
    found = WithCovariates.fit(BetaGeoNBD, mixed, ["country", "channel"])
    assert found.coefficients == pytest.approx(model.coefficients, abs=1e-8)


def test_columns_that_say_the_same_share_the_effect(customers: pd.DataFrame) -> None:
    some = customers.assign(medium=customers.channel)
    found = WithCovariates.fit(BetaGeoNBD, some, ["channel", "medium"])
    once = WithCovariates.fit(BetaGeoNBD, some, ["channel"])
    assert found.purchasing[0] == pytest.approx(found.purchasing[1], abs=1e-4)
    assert sum(found.purchasing) == pytest.approx(once.purchasing[0], abs=0.01)
    assert all(found.standard_errors.values())


def test_a_column_without_two_levels_is_refused(customers: pd.DataFrame) -> None:
    with pytest.raises(NotEnoughData, match="two levels"):
        WithCovariates.fit(BetaGeoNBD, customers.assign(channel="search"), ["channel"])


def test_a_missing_column_is_named(customers: pd.DataFrame, model: WithCovariates) -> None:
    for ask in (
        lambda: WithCovariates.fit(BetaGeoNBD, customers, ["coupon"]),
        lambda: model.p_alive(customers.drop(columns="country")),
    ):
        with pytest.raises(BadSummary, match=r"coupon|country"):
            ask()


def test_a_model_that_takes_no_covariates_is_refused(customers: pd.DataFrame) -> None:
    other: Any = BetaGeoBetaBinomial
    with pytest.raises(BadSettings, match="BG/BB"):
        WithCovariates.fit(other, customers, ["channel"])


# --------------------------------------------------------------------------------- what is foreseen


@every_model
def test_every_answer_is_that_of_the_plain_model_of_the_customers_levels(search: Plain) -> None:
    everybody = shop(search, 1500, np.random.default_rng(11))
    found = WithCovariates.fit(type(search), everybody, ["channel", "country"])
    some = everybody.sample(40, random_state=3)
    horizons = np.linspace(10, 900, len(some))
    rate = 0.1 / 365
    answers = {
        "p_alive": found.p_alive(some),
        "leaving_known": found.leaving_known(some),
        "expected_wait": found.expected_wait(some),
        "purchases_while_active": found.purchases_while_active(horizons, some),
        "conditional": found.conditional_expected_purchases(365, some),
        "discounted": found.discounted_expected_purchases(365, some, rate),
    }
    for levels, part in some.groupby(["channel", "country"]):
        own = found.of(dict(zip(("channel", "country"), levels, strict=True)))
        rows = some.index.get_indexer(part.index)
        exact = {
            "p_alive": own.p_alive(part),
            "leaving_known": own.leaving_known(part),
            "expected_wait": own.expected_wait(part),
            "purchases_while_active": own.purchases_while_active(horizons[rows], part),
            "conditional": own.conditional_expected_purchases(365, part),
            "discounted": own.discounted_expected_purchases(365, part, rate),
        }
        for name, values in exact.items():
            np.testing.assert_allclose(answers[name][rows], values, rtol=1e-9, err_msg=name)


def test_dert_is_that_of_the_plain_model_of_the_customers_levels() -> None:
    everybody = shop(SEARCH[2], 1500, np.random.default_rng(11))
    found = WithCovariates.fit(ParetoNBD, everybody, ["channel"])
    some = everybody.sample(40, random_state=3)
    answers = found.discounted_expected_residual_transactions(some, 0.1 / 365)
    for channel, part in some.groupby("channel"):
        own = found.of({"channel": channel})
        exact = own.discounted_expected_residual_transactions(part, 0.1 / 365)
        rows = some.index.get_indexer(part.index)
        np.testing.assert_allclose(answers[rows], exact, rtol=1e-12)


@every_model
def test_the_plain_models_differ_by_what_multiplies_them(search: Plain) -> None:
    """The signs: a positive coefficient means more purchases, or sooner gone."""
    some = shop(search, 1500, np.random.default_rng(11))
    found = WithCovariates.fit(type(search), some, ["channel"])
    one, other = (found.of({"channel": level}) for level in ("search", "email"))
    assert one.alpha / other.alpha == pytest.approx(np.exp(found.purchasing[0]), rel=1e-12)
    if isinstance(search, ParetoNBD):
        assert one.beta / other.beta == pytest.approx(np.exp(found.leaving[0]), rel=1e-12)
    else:
        assert other.a / one.a == pytest.approx(np.exp(found.leaving[0]), rel=1e-12)
        assert other.b == one.b
    assert found.of({}) == one


def test_a_new_customer_is_one_of_those_seen(
    model: WithCovariates, customers: pd.DataFrame
) -> None:
    times = np.array([[30.0, 365.0]])
    each = [
        len(part) * model.of(part.iloc[0]).expected_purchases(times)
        for _, part in customers.groupby(["channel", "country"])
    ]
    expected = np.sum(each, axis=0) / len(customers)
    np.testing.assert_allclose(model.expected_purchases(times), expected, rtol=1e-12)


def test_random_customers_agree_with_the_expected_ones(model: WithCovariates) -> None:
    ages = np.full(30_000, 200.0)
    rows, times = model.draw_histories(ages, np.random.default_rng(1))
    each = np.bincount(rows, minlength=len(ages))
    noise = each.std() / np.sqrt(len(ages))
    assert abs(each.mean() - float(model.expected_purchases(200))) < 4 * noise
    ages = np.linspace(1, 900, 3000)
    rows, times = model.draw_histories(ages, np.random.default_rng(2))
    assert np.all(times <= ages[rows])
    assert np.bincount(rows)[2000:].sum() > 2 * np.bincount(rows)[:1000].sum()


def test_random_futures_agree_with_the_expected_ones(
    model: WithCovariates, customers: pd.DataFrame
) -> None:
    kinds = customers.groupby(["channel", "country"]).head(1).reset_index(drop=True)
    many = kinds.loc[kinds.index.repeat(20_000)]
    drawn = model.draw_purchases(365, many, np.random.default_rng(4)).reshape(len(kinds), -1)
    noise = drawn.std(axis=1) / np.sqrt(20_000)
    expected = model.purchases_while_active(365, kinds)
    assert np.all(np.abs(drawn.mean(axis=1) - expected) < 4 * noise)


def test_kinds_of_futures_keep_their_levels(model: WithCovariates, customers: pd.DataFrame) -> None:
    futures, rows = model._futures(customers)
    assert set(model.FUTURE) == set(futures.columns)
    np.testing.assert_array_equal(futures.channel[rows], customers.channel)
    np.testing.assert_allclose(
        model.purchases_while_active(365, futures)[rows],
        model.purchases_while_active(365, customers),
        rtol=1e-9,
    )


def test_drawn_models_scatter_as_the_standard_errors_say(model: WithCovariates) -> None:
    drawn = model.drawn(400, np.random.default_rng(5))
    effects = np.array([one.coefficients[CHANNEL[0]] for one in drawn])
    assert effects.mean() == pytest.approx(model.coefficients[CHANNEL[0]], abs=0.02)
    assert effects.std() == pytest.approx(model.standard_errors[CHANNEL[0]], rel=0.15)


def test_nobody_to_foresee_is_no_error(model: WithCovariates, customers: pd.DataFrame) -> None:
    assert len(model.conditional_expected_purchases(365, customers.head(0))) == 0


def test_it_stands_in_for_a_models_class(customers: pd.DataFrame, model: WithCovariates) -> None:
    assert Covariates(BetaGeoNBD, ("channel", "country")).fit(customers) == model


def test_a_model_survives_json(model: WithCovariates) -> None:
    assert WithCovariates.from_json(model.to_json()) == model
    card = json.loads(json.dumps(model.as_dict()))
    assert card["model"] == "BG/NBD with covariates"
    assert card["coefficients"]["leaving channel=email"] == model.leaving[0]
    assert card["likelihood_ratio"]["degrees"] == 4
