//! How the touchpoints of a sale share it, under every model (rule R5).

use std::collections::BTreeMap;

use pimms_edge::core::attribution::{HALF_LIFE_MS, MODELS, Model, credits};
use pimms_edge::core::ledger::view::TouchView;
use pimms_edge::core::time::{DAY_MS, Millis};
use proptest::prelude::*;

const SALE_AT: Millis = Millis(1_763_000_000_000);

fn touch(name: &str, days_before: i64) -> TouchView {
    touch_at(name, SALE_AT.plus_days(-days_before))
}

fn touch_at(name: &str, at: Millis) -> TouchView {
    TouchView { click_id: name.to_owned(), link_id: format!("link_{name}"), at }
}

/// Credits by click, in the order of the touchpoints given.
fn of(model: Model, amount: i64, touches: &[TouchView]) -> Vec<i64> {
    let found: BTreeMap<usize, i64> = credits(model, amount, touches, SALE_AT).into_iter().collect();
    (0..touches.len()).map(|index| found.get(&index).copied().unwrap_or(0)).collect()
}

#[test]
fn what_each_model_gives() {
    let touches: Vec<TouchView> =
        [("a", 21), ("b", 14), ("c", 7), ("d", 0)].iter().map(|(n, d)| touch(n, *d)).collect();
    for (name, n, amount, expected) in [
        ("last", 4, 1000, &[0, 0, 0, 1000][..]),
        ("first", 4, 1000, &[1000, 0, 0, 0]),
        ("linear", 4, 1000, &[250, 250, 250, 250]),
        ("linear", 3, 1000, &[333, 333, 334]),
        ("linear", 3, 2, &[0, 1, 1]),
        ("linear", 4, 1, &[0, 0, 0, 1]),
        ("position", 4, 1000, &[400, 100, 100, 400]),
        ("position", 3, 1000, &[400, 200, 400]),
        ("position", 2, 1000, &[500, 500]),
        ("position", 2, 1001, &[500, 501]),
        ("position", 1, 1000, &[1000]),
        // 1/8 : 1/4 : 1/2 : 1
        ("decay", 4, 1500, &[100, 200, 400, 800]),
        ("decay", 4, 1000, &[67, 133, 267, 533]),
        ("decay", 1, 1000, &[1000]),
    ] {
        let model = Model::parse(name).unwrap();
        assert_eq!(of(model, amount, &touches[4 - n..]), expected, "{name} of {n}, {amount}");
        let negative: Vec<i64> = expected.iter().map(|credit| -credit).collect();
        assert_eq!(of(model, -amount, &touches[4 - n..]), negative, "{name} of {n}, -{amount}");
    }
}

#[test]
fn decay_halves_in_seven_days_and_never_forgets_all() {
    let pair = |days: i64| [touch("old", days), touch("new", 0)];
    for (days, expected) in [
        (0, [500_000, 500_000]),
        (7, [333_333, 666_667]),
        (14, [200_000, 800_000]),
        // 2^(−1/7) = 0.905724…, 2^(−1/2) = 0.707107…
        (1, [475_265, 524_735]),
        (70, [976, 999_024]),
    ] {
        assert_eq!(of(Model::Decay, 1_000_000, &pair(days)), expected, "{days} days");
    }
    let half = Millis(SALE_AT.0 - HALF_LIFE_MS / 2);
    let touches = [touch_at("old", half), touch("new", 0)];
    assert_eq!(of(Model::Decay, 1_000_000, &touches), [414_214, 585_786]);
    // Only the distance between clicks counts, however old both are.
    let years = [touch("old", 3_657), touch("new", 3_650)];
    assert_eq!(of(Model::Decay, 3000, &years), [1000, 2000]);
    // A click of the same second, by another clock a little after the sale, is as young as can be.
    let late = [touch("old", 7), touch_at("late", Millis(SALE_AT.0 + 250_000))];
    assert_eq!(of(Model::Decay, 3000, &late), [1000, 2000]);
}

#[test]
fn no_touchpoint_no_credit() {
    for (_, model) in MODELS {
        assert_eq!(credits(model, 1000, &[], SALE_AT), []);
        assert_eq!(credits(model, 0, &[touch("a", 1)], SALE_AT), []);
    }
}

#[test]
fn models_have_names() {
    for (name, model) in MODELS {
        assert_eq!((Model::parse(name), model.as_str()), (Some(model), name));
    }
    assert_eq!(Model::parse("middle"), None);
    assert_eq!(Model::default(), Model::Last);
}

fn any_model() -> impl Strategy<Value = Model> {
    proptest::sample::select(MODELS.map(|(_, model)| model).to_vec())
}

/// Touchpoints of distinct clicks up to ten years before the sale, some at the same instant.
fn any_touches() -> impl Strategy<Value = Vec<TouchView>> {
    let age = prop_oneof![0..10_i64, 0..30 * DAY_MS, 0..3650 * DAY_MS];
    proptest::collection::vec(age, 0..12).prop_map(|ages| {
        let touches = ages.into_iter().enumerate();
        touches.map(|(n, age)| touch_at(&format!("c{n}"), Millis(SALE_AT.0 - age))).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn credits_add_up_and_have_the_sign_of_the_amount(
        model in any_model(), touches in any_touches(),
        amount in prop_oneof![any::<i64>(), -1000_i64..1000, Just(i64::MIN), Just(i64::MAX)]
    ) {
        let found = credits(model, amount, &touches, SALE_AT);
        let sum: i128 = found.iter().map(|(_, credit)| i128::from(*credit)).sum();
        prop_assert_eq!(sum, if touches.is_empty() { 0 } else { i128::from(amount) });
        prop_assert!(found.iter().all(|(_, credit)| credit.signum() == amount.signum()));
        prop_assert!(found.iter().all(|(index, _)| *index < touches.len()));
        if let Some(opposite) = amount.checked_neg() {
            let undone: Vec<(usize, i64)> = found.iter().map(|(index, credit)| (*index, -credit)).collect();
            prop_assert_eq!(credits(model, opposite, &touches, SALE_AT), undone);
        }
    }

    #[test]
    fn the_order_of_the_touchpoints_does_not_matter(
        model in any_model(), (touches, shuffled) in any_touches().prop_flat_map(|touches| {
            (Just(touches.clone()), Just(touches).prop_shuffle())
        }), amount in any::<i64>()
    ) {
        let by_click = |touches: &[TouchView]| -> BTreeMap<String, i64> {
            let found = credits(model, amount, touches, SALE_AT);
            found.into_iter().map(|(index, credit)| (touches[index].click_id.clone(), credit)).collect()
        };
        prop_assert_eq!(by_click(&touches), by_click(&shuffled));
    }

    /// Nobody is more than one unit away from the exact share.
    #[test]
    fn decay_is_what_the_formula_says(touches in any_touches(), amount in 0..1_000_000_000_i64) {
        let weight = |touch: &TouchView| {
            #[expect(clippy::cast_precision_loss, reason = "an estimate to compare with")]
            let age = (SALE_AT.0 - touch.at.0) as f64 / HALF_LIFE_MS as f64;
            (-age * std::f64::consts::LN_2).exp()
        };
        let total: f64 = touches.iter().map(weight).sum();
        for (touch, credit) in touches.iter().zip(of(Model::Decay, amount, &touches)) {
            #[expect(clippy::cast_precision_loss, reason = "an estimate to compare with")]
            let (amount, credit) = (amount as f64, credit as f64);
            // Very old clicks together are beyond a float's reach, not beyond ours.
            if total > 1e-200 {
                prop_assert!((amount * weight(touch) / total - credit).abs() <= 1.01);
            }
        }
    }
}
