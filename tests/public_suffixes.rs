//! The compact public suffix list says what the crate `psl` says, for every rule of the list.

use pimms_edge::core::public_suffix::registrable;

#[test]
fn every_rule_agrees_with_the_crate() {
    let rules = include_str!("../data/public_suffixes.txt");
    let mut compared = 0;
    for rule in rules.lines().filter(|line| !line.is_empty()) {
        let name = rule.trim_start_matches('!').replace("*.", "any.");
        for host in [name.clone(), format!("acme.{name}"), format!("go.acme.{name}"), format!("a.b.c.{name}")]
        {
            let ascii = idna::domain_to_ascii(&host).unwrap();
            let theirs = psl::domain_str(&host).map(|domain| idna::domain_to_ascii(domain).unwrap());
            assert_eq!(registrable(&ascii), theirs.as_deref(), "{host}");
            compared += 1;
        }
    }
    assert!(compared > 40_000, "{compared}");
}
