package census

import (
	"strconv"
	"strings"
	"unicode"
)

// Count writes a number with what is counted: "1 other key", "2 other keys".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// WithArticle puts "a" or "an" before a name, as it is spoken: an ID, an http.Header, a user, a URL, a *User. What has no vowel in its
// first word, or two capitals in front, is spelled out letter by letter.
func WithArticle(name string) string {
	word := []rune(strings.TrimLeft(name, "*&("))
	if i := firstNoLetter(word); i >= 0 {
		word = word[:i]
	}
	if len(word) == 0 {
		return "a " + name
	}
	vowels := "aeiou"
	lower := []rune(strings.ToLower(string(word)))
	spelled := len(word) == 1 || unicode.IsUpper(word[0]) && unicode.IsUpper(word[1]) || !strings.ContainsAny(string(lower), vowels+"y") || string(lower) == "url"
	switch {
	case spelled && strings.ContainsRune("aefhilmnorsx", lower[0]), !spelled && strings.ContainsRune(vowels, lower[0]) && !soundsLikeYou(lower):
		return "an " + name
	}
	return "a " + name
}

func firstNoLetter(word []rune) int {
	for i, r := range word {
		if !unicode.IsLetter(r) {
			return i
		}
	}
	return -1
}

// soundsLikeYou reports whether a word begins as user, unit, uint and uuid do, not as in upper.
func soundsLikeYou(w []rune) bool {
	isVowel := func(i int) bool { return i < len(w) && strings.ContainsRune("aeiou", w[i]) }
	return w[0] == 'u' && (isVowel(1) || isVowel(2))
}
