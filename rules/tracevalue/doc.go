// Package tracevalue reports trace and span identifiers that travel as context values of their own, in a module that
// traces with OpenTelemetry or OpenTracing, and contexts with a span that nobody uses.
//
// # Why it is wrong
//
// The tracing library keeps the span in the context, and its propagators carry the trace over process boundaries. An
// identifier that is passed beside it is another one sooner or later: spans started here are not children of the
// caller's, sampling decisions are lost, and the log names a trace that no backend knows.
//
// # Example
//
//	func middleware(next http.Handler) http.Handler {
//		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//			ctx := context.WithValue(r.Context(), traceIDKey{}, r.Header.Get("traceparent"))
//			next.ServeHTTP(w, r.WithContext(ctx))
//		})
//	}
//
// Use instead
//
//	func middleware(next http.Handler) http.Handler {
//		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//			ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
//			next.ServeHTTP(w, r.WithContext(ctx))
//		})
//	}
//
// and where the identifier is read
//
//	id := trace.SpanContextFromContext(ctx).TraceID()
//
// # What is reported
//
// Places that store a text or bytes taken from a header that tracers exchange (traceparent, b3, X-B3-TraceId,
// uber-trace-id), or from a span, or under a key whose name says trace, span or correlation identifier (which baggage hands on); calls such as
// trace.ContextWithSpan whose result is dropped or overwritten. Spans themselves may be kept aside.
//
// Modules whose packages do not import a tracing library themselves have no findings, nor have tests. Identifiers of
// requests (X-Request-ID) and of business transactions are others, and theirs to carry.
//
// # Fix safety
//
// There is no fix: the finding shows the call to use, but where a trace begins has to be decided by a person.
package tracevalue
