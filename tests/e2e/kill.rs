//! A power cut in the middle of a stream of webhooks: what was answered 2xx is there, what was not is sent again,
//! and the totals are exact.

use std::sync::RwLock;
use std::thread;
use std::time::Duration;

use pimms_cli::clock::now_secs;
use pimms_cli::instance::Instance;
use pimms_cli::random::Random;
use pimms_cli::target::Target;

use crate::crowd::Crowd;
use crate::delivery::{Deliveries, clicks, money, settles};

const EVENTS: usize = 200;

#[test]
fn a_kill_in_the_middle_of_two_hundred_webhooks_loses_and_doubles_nothing() {
    let mut instance = Instance::start().unwrap();
    let link = Target::of(instance.ready()).short_link().unwrap();
    let made = clicks(&[link], 30, "kill");
    let mut crowd = Crowd::new(2, "kill", made, now_secs() + 1);
    crowd.tell(20, EVENTS);
    assert!(crowd.events() >= EVENTS, "{} events", crowd.events());
    let mut steps = crowd.steps.clone();
    Random::new(3).shuffle(&mut steps);

    let deliveries = Deliveries::new(steps);
    let target = RwLock::new(Target::of(instance.ready()));
    thread::scope(|scope| {
        let stream = scope.spawn(|| deliveries.run(8, &target));
        while deliveries.accepted() < deliveries.total() / 2 {
            assert!(!stream.is_finished(), "the stream ended early");
            thread::sleep(Duration::from_millis(1));
        }
        instance.kill9();
        instance.restart().unwrap();
        *target.write().unwrap() = Target::of(instance.ready());
        stream.join().unwrap();
    });
    assert!(deliveries.refused() > 0, "the kill must have hit the stream");
    assert_eq!(deliveries.accepted(), deliveries.total());
    let target = target.into_inner().unwrap();
    settles("totals after the kill", &crowd.expected.lines(), || money(&target));

    // Stripe may send everything once more, a month later: nothing changes.
    let again = Deliveries::new(crowd.steps.clone());
    again.run(8, &RwLock::new(target.clone()));
    assert_eq!(again.refused(), 0, "{}", instance.log());
    settles("totals after everything came again", &crowd.expected.lines(), || money(&target));
}
