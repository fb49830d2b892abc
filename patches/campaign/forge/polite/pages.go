package polite

import "fmt"

// Pages gets all pages of a list. What gets one is told its number, and says which comes next, 0 after the last.
func Pages[T any](get func(page int) ([]T, int, error)) ([]T, error) {
	var all []T
	for page := 1; ; {
		some, next, err := get(page)
		if err != nil {
			return nil, Cause(err)
		}
		all = append(all, some...)
		if next == 0 {
			return all, nil
		}
		if next <= page {
			return nil, fmt.Errorf("the forge's list goes from page %d to page %d", page, next)
		}
		page = next
	}
}
