"""What is said in vain is told where it stands, with what makes it so, unless accepted."""

from __future__ import annotations

import datetime

from configurator.session.checks import check_product
from configurator.session.lints import TOLD
from tests.language.folders import product, said

DAY = datetime.date(2026, 11, 22)

VAIN = """\
rules:
  - {id: disc-only, require: brakes = disc, because: So.}
  - {id: light, when: material = carbon, forbid: brakes = rim, because: So.}
  - {id: wide, when: width > 3000 and width < 2000, require: bell, because: So.}
  - {id: no-rack, forbid: extras has rack, because: So.}
guards:
  - {id: rim, level: hint, when: brakes = rim, say: So.}
  - {id: ring, level: hint, when: bell = no, suggest: {extras.rack: 1}, say: So.}
  - {id: any-width, level: hint, when: width >= 600, say: So.}
=== more.yaml
variables:
  basket: {values: {wire: {}, cane: {}}, relevant when: extras.rack > 0}
"""


def told(text: str) -> list[str]:
    return said(check_product(product(text), DAY).diagnostics)


def test_every_kind_is_told_at_its_place() -> None:
    assert told(VAIN) == [
        'more.yaml:2:3 always-same "basket" is asked in no configuration.',
        "product.yaml:15:3 always-same Every configuration has brakes = disc, "
        "because of: disc-only.",
        "product.yaml:19:51 dead-value No configuration has extras.rack, because of: no-rack.",
        "rules.yaml:3:10 rule-redundant This rule refuses only what is refused without it, "
        "by: disc-only.",
        "rules.yaml:4:10 rule-never-fires This rule refuses nothing: what it is against cannot "
        "happen anyway.",
        "rules.yaml:7:10 guard-never This guard is never said: its `when` cannot come true, "
        "because of: disc-only.",
        "rules.yaml:8:10 suggest-invalid This guard suggests extras.rack = 1, which nobody can "
        "have because of: no-rack.",
        "rules.yaml:9:10 guard-always This guard is always said, in every configuration.",
    ]


def test_what_is_accepted_is_not_told() -> None:
    text = """\
variables:
  rack:
    accept: {dead-value: Sold again from March.}
    values: {steel: {}, wood: {}, wire: {}}
rules:
  - {id: sold-out, forbid: rack = wood, because: So.}
  - id: sold-out-twice
    forbid: rack = wood and bell
    because: So.
    %s
"""
    redundant = "rules.yaml:7:9 rule-redundant This rule refuses only what is refused without it, "
    assert told(text % "owner: us") == [redundant + "by: sold-out."]
    assert told(text % "accept: {rule-redundant: Other words.}") == []


def test_of_many_the_rest_is_told_in_one_line() -> None:
    values = ", ".join(f"v{n:02}: {{}}" for n in range(TOLD + 4))
    text = f"variables:\n  many: {{values: {{{values}}}}}\nrules:\n"
    text += "  - id: r\n    require: many in [v00, v01]\n    because: So.\n"
    *one_by_one, rest = told(text)
    assert len(one_by_one) == TOLD
    assert rest.endswith("dead-value The same goes for: many = v22, many = v23.")


def test_guards_on_numbers_too_wide_to_compile_do_not_keep_others_from_being_judged() -> None:
    text = """\
variables:
  first: {type: number, range: 0..9999}
  second: {type: number, range: 0..9999}
guards:
  - {id: far, level: hint, when: first * second > 5000, say: So.}
  - {id: both, level: hint, when: brakes = rim and brakes = disc, say: So.}
"""
    never = "guard-never This guard is never said: its `when` is true in no configuration."
    assert told(text) == [f"rules.yaml:6:10 {never}"]


PROPOSED = """\
variables:
  carry: {values: {curb: {}, home: {price: 30.00}}, default: curb}
  floor: {values: {0: {}, 3: {}}%s}
guards:
  - id: heavy
    level: %s
    when: carry = curb and floor = 3
    say: So.
"""


def test_what_is_proposed_and_warned_of_is_told_with_the_choice_that_leads_there() -> None:
    assert told(PROPOSED % ("", "caution")) == [
        "rules.yaml:5:9 default-warned With floor = 3, what is proposed raises this guard: "
        "carry = curb."
    ]
    assert told(PROPOSED % (", default: 3", "acknowledge")) == [
        "rules.yaml:5:9 default-warned What is proposed raises this guard: carry = curb, floor = 3."
    ]
    assert told(PROPOSED % ("", "hint")) == []
    accepted = PROPOSED.replace("say:", "accept: {default-warned: It is cheaper.}\n    say:")
    assert told(accepted % ("", "caution")) == []


def test_a_default_that_makes_way_is_not_doubted() -> None:
    default = "default: [{value: home, when: floor = 3}, {value: curb}]"
    assert told(PROPOSED.replace("default: curb", default) % ("", "caution")) == []
