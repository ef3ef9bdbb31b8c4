//! Suggestions ("did you mean") for unknown words: the known word that is most similar.

/// The similarity above which a word is suggested, from 0 to 1. One wrong letter of three (0.67) is accepted.
const ALIKE: f64 = 0.66;

/// Returns the known word that is most similar to this one, if any is similar enough.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let likeness = |known: &str| {
        // Damerau-Levenshtein finds short words with swapped letters.
        let changed = strsim::normalized_damerau_levenshtein(&word, known);
        // Jaro-Winkler finds words with a common beginning, and is too generous with others.
        let begin_alike = word.chars().next() == known.chars().next();
        if begin_alike { changed.max(strsim::jaro_winkler(&word, known)) } else { changed }
    };
    let ranked = known.into_iter().map(|known| (likeness(&known.to_lowercase()), known));
    let (likeness, known) = ranked.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (likeness > ALIKE).then_some(known)
}

/// Returns a hint that suggests the most similar known word, and lists all of them.
pub(crate) fn known_words(word: &str, name: &str, known: &[&str]) -> String {
    format!("{}{name}: {}", likely(word, known.iter().copied()), known.join(", "))
}

/// Returns the beginning of a hint that suggests the most similar known word; empty if none is similar.
pub(crate) fn likely<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    closest(word, known).map(|likely| format!("did you mean `{likely}`? ")).unwrap_or_default()
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
        assert_eq!(closest("nope", ["CartOpened", "ItemAdded"]), None);
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
