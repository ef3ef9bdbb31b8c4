//! "Did you mean": the known word that is closest to one that is not known.

/// How alike two words are at least, from 0 to 1: one mistake in three letters is enough.
const ALIKE: f64 = 0.66;

/// Returns the known word that is most like this one, if one is like it at all.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let likeness = |known: &str| {
        // The first finds words with a common beginning, the second short words with swapped letters.
        strsim::jaro_winkler(&word, known).max(strsim::normalized_damerau_levenshtein(&word, known))
    };
    let ranked = known.into_iter().map(|known| (likeness(&known.to_lowercase()), known));
    let (likeness, known) = ranked.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (likeness > ALIKE).then_some(known)
}

/// Returns a hint that lists the known words, after the likely one.
pub(crate) fn known_words(word: &str, name: &str, known: &[&str]) -> String {
    let likely = closest(word, known.iter().copied());
    let likely = likely.map(|likely| format!("did you mean `{likely}`? ")).unwrap_or_default();
    format!("{likely}{name}: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closest_word_is_found_and_unlike_words_are_not() {
        let known = ["dev", "local", "prod"];
        assert_eq!(closest("lcoal", known), Some("local"));
        assert_eq!(closest("LOCAL", known), Some("local"));
        assert_eq!(closest("local.toml", known), Some("local"));
        assert_eq!(closest("eu", known), None);
        assert_eq!(closest("dev", []), None);
    }

    #[test]
    fn hint_lists_known_words_after_the_likely_one() {
        assert_eq!(
            known_words("dve", "environments", &["dev", "prod"]),
            "did you mean `dev`? environments: dev, prod"
        );
        assert_eq!(known_words("eu", "environments", &["dev", "prod"]), "environments: dev, prod");
    }
}
