//! Builds legible ASCII names from French labels.

/// Converts a text to lower case, without accents, with `_` for whatever is neither a letter nor a digit. Letters of
/// other alphabets have no ASCII form and are dropped; the result may be empty.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
            continue;
        }
        // A combining accent belongs to the letter before it: drop it.
        if ('\u{300}'..='\u{36f}').contains(&c) {
            continue;
        }
        match letter(c) {
            Some(letters) => slug.push_str(letters),
            None if slug.is_empty() || slug.ends_with('_') => {}
            None => slug.push('_'),
        }
    }
    slug.truncate(slug.trim_end_matches('_').len());
    slug
}

/// Cuts a slug to so many bytes, between two words where that does not cost more than a third.
pub(super) fn cut(slug: &str, max_bytes: usize) -> &str {
    if slug.len() <= max_bytes {
        return slug;
    }
    let head = &slug[..max_bytes];
    let head = match head.rfind('_') {
        _ if slug.as_bytes()[max_bytes] == b'_' => head,
        Some(end) if end * 3 >= max_bytes * 2 => &head[..end],
        _ => head,
    };
    head.trim_end_matches('_')
}

/// Returns the ASCII form of a lower-case Latin letter.
fn letter(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ª' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĳ' => "ij",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'º' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        '²' => "2",
        '³' => "3",
        '€' => "eur",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_legible_names() {
        let cases = [
            ("Adresse du siège", "adresse_du_siege"),
            ("  Nom de l’établissement ?  ", "nom_de_l_etablissement"),
            ("Cœur, ÆGIR, Straße, ÇA, Ÿ", "coeur_aegir_strasse_ca_y"),
            ("N° SIRET (14 chiffres)", "n_siret_14_chiffres"),
            ("e\u{301}te\u{301}", "ete"),
            ("Surface en m²", "surface_en_m2"),
            ("'; DROP TABLE x; --", "drop_table_x"),
            ("🎉\0", ""),
            ("___", ""),
        ];
        for (label, expected) in cases {
            assert_eq!(slug(label), expected, "{label}");
        }
    }

    #[test]
    fn a_cut_falls_between_words_when_it_can() {
        let cases = [
            ("abc_def_ghi", 11, "abc_def_ghi"),
            ("abc_def_ghi", 9, "abc_def"),
            ("abc_def_ghi", 7, "abc_def"),
            ("a_bcdefghij", 8, "a_bcdefg"),
        ];
        for (name, max, expected) in cases {
            assert_eq!(cut(name, max), expected, "{name} {max}");
        }
    }
}
