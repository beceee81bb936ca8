"""Text for people, and the one spelling of a tag."""
from cache.text import tag_name


def test_a_tag_is_the_same_with_its_accents_on_the_letters_or_behind_them():
    assert tag_name("cafe\u0301") == "caf\u00e9" == tag_name("caf\u00e9")


def test_signs_that_only_resemble_each_other_stay_different_tags():
    assert tag_name("\ufb01g") == "\ufb01g"  # the ligature fi, which NFKC would take apart
