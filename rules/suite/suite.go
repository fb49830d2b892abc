// Package suite is the registry of rules.
package suite

import (
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/badkey"
	"github.com/ctxmend/ctxmend/rules/builtinkey"
	"github.com/ctxmend/ctxmend/rules/contextlesscall"
	"github.com/ctxmend/ctxmend/rules/deadkey"
	"github.com/ctxmend/ctxmend/rules/detachedgo"
	"github.com/ctxmend/ctxmend/rules/dynamickey"
	"github.com/ctxmend/ctxmend/rules/freshctx"
	"github.com/ctxmend/ctxmend/rules/growingctx"
	"github.com/ctxmend/ctxmend/rules/hiddenparam"
	"github.com/ctxmend/ctxmend/rules/keyclash"
	"github.com/ctxmend/ctxmend/rules/lostcancel"
	"github.com/ctxmend/ctxmend/rules/mapvalue"
	"github.com/ctxmend/ctxmend/rules/missingparam"
	"github.com/ctxmend/ctxmend/rules/requestescape"
	"github.com/ctxmend/ctxmend/rules/sharedkey"
	"github.com/ctxmend/ctxmend/rules/splitkey"
	"github.com/ctxmend/ctxmend/rules/staleparent"
	"github.com/ctxmend/ctxmend/rules/storedctx"
	"github.com/ctxmend/ctxmend/rules/tracevalue"
	"github.com/ctxmend/ctxmend/rules/uncheckedread"
	"github.com/ctxmend/ctxmend/rules/valuechain"
)

// All are the rules, in the order of the documentation.
var All = []*rules.Rule{
	builtinkey.Rule,
	sharedkey.Rule,
	badkey.Rule,
	splitkey.Rule,
	keyclash.Rule,
	deadkey.Rule,
	dynamickey.Rule,
	uncheckedread.Rule,
	mapvalue.Rule,
	valuechain.Rule,
	hiddenparam.Rule,
	storedctx.Rule,
	tracevalue.Rule,
	detachedgo.Rule,
	freshctx.Rule,
	missingparam.Rule,
	requestescape.Rule,
	staleparent.Rule,
	lostcancel.Rule,
	growingctx.Rule,
	contextlesscall.Rule,
}

// LeftOut names checks that are deliberately no rules, with the reason.
var LeftOut = []struct{ Name, Reason string }{
	{"nilctx", "passing nil for a context is found and mended by staticcheck SA1012"},
	{"ctxfirst", "the order of parameters is a matter of style; revive's context-as-argument reports it"},
}
