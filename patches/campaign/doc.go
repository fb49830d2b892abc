// Package campaign carries the fixes of ctxmend to many repositories, as pull requests.
package campaign
