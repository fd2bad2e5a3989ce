package capture

import "strings"

// flagKind is what a curl flag means to the reader of a command.
type flagKind int

const (
	flagUnknown flagKind = iota
	// flagIgnored and flagIgnoredValue, without and with a value, change nothing that
	// matters in a delivery.
	flagIgnored
	flagIgnoredValue
	flagMethod
	flagHead
	flagHeader
	// flagData reads a file after an @, flagRaw never does, flagJSON also sets the
	// type.
	flagData
	flagRaw
	flagJSON
	flagURL
	// With what follows, the capture does not hold what the command sends.
	flagForm
	flagUpload
	flagGet
	flagNext
	flagConfig
)

func (k flagKind) takesValue() bool {
	switch k {
	case flagUnknown, flagIgnored, flagHead, flagGet, flagNext:
		return false
	}
	return true
}

// kindOf takes a long name without its dashes. It knows curl's flags for HTTP and
// what lies under it; those for mail, FTP and the like are unknown.
func kindOf(name string) flagKind {
	switch name {
	case "request":
		return flagMethod
	case "head":
		return flagHead
	case "header":
		return flagHeader
	case "data", "data-ascii", "data-binary":
		return flagData
	case "data-raw":
		return flagRaw
	case "json":
		return flagJSON
	case "url":
		return flagURL
	case "data-urlencode", "form", "form-string":
		return flagForm
	case "upload-file":
		return flagUpload
	case "get":
		return flagGet
	case "next":
		return flagNext
	case "config":
		return flagConfig
	case "alpn", "anyauth", "basic", "buffer", "ca-native", "cert-status", "clobber", "compressed", "create-dirs", "digest",
		"disable", "disallow-username-in-url", "fail", "fail-early", "fail-with-body", "false-start", "globoff", "haproxy-protocol",
		"http0.9", "http1.0", "http1.1", "http2", "http2-prior-knowledge", "http3", "http3-only",
		"ignore-content-length", "include", "insecure", "ipv4", "ipv6", "junk-session-cookies", "keepalive", "location",
		"location-trusted", "negotiate", "netrc", "netrc-optional", "npn", "ntlm", "ntlm-wb", "parallel",
		"parallel-immediate", "path-as-is", "post301", "post302", "post303", "progress-bar", "progress-meter",
		"proxy-anyauth", "proxy-basic", "proxy-digest", "proxy-insecure", "proxytunnel", "raw", "remote-header-name",
		"remote-name", "remote-name-all", "remote-time", "remove-on-error", "retry-all-errors", "retry-connrefused",
		"sessionid", "show-error", "show-headers", "silent", "ssl", "ssl-allow-beast", "ssl-auto-client-cert",
		"ssl-no-revoke", "ssl-reqd", "ssl-revoke-best-effort", "sslv2", "sslv3", "styled-output",
		"suppress-connect-headers", "tcp-fastopen", "tcp-nodelay", "tlsv1", "tlsv1.0", "tlsv1.1", "tlsv1.2",
		"tlsv1.3", "tr-encoding", "trace-ids", "trace-time", "verbose", "xattr":
		return flagIgnored
	case "abstract-unix-socket", "alt-svc", "aws-sigv4", "cacert", "capath", "cert", "cert-type", "ciphers",
		"connect-timeout", "connect-to", "continue-at", "cookie", "cookie-jar", "create-file-mode", "crlfile", "curves",
		"delegation", "dns-interface", "dns-ipv4-addr", "dns-ipv6-addr", "dns-servers", "doh-url", "dump-header",
		"engine", "etag-compare", "etag-save", "expect100-timeout", "happy-eyeballs-timeout-ms", "hsts", "interface",
		"keepalive-time", "key", "key-type", "limit-rate", "local-port", "max-filesize", "max-redirs", "max-time",
		"netrc-file", "noproxy", "oauth2-bearer", "output", "output-dir", "parallel-max", "pass", "pinnedpubkey",
		"preproxy", "proto", "proto-default", "proto-redir", "proxy", "proxy-cacert", "proxy-cert", "proxy-header",
		"proxy-key", "proxy-user", "proxy1.0", "range", "rate", "referer", "request-target", "resolve", "retry",
		"retry-delay", "retry-max-time", "service-name", "socks4", "socks4a", "socks5", "socks5-hostname",
		"speed-limit", "speed-time", "stderr", "time-cond", "tls-max", "tls13-ciphers", "trace", "trace-ascii",
		"trace-config", "unix-socket", "url-query", "user", "user-agent", "write-out":
		return flagIgnoredValue
	}
	return flagUnknown
}

// longName returns the long name of a one-letter flag, and nothing for an unknown
// one.
func longName(letter byte) string {
	const names = "0http1.0 1tlsv1 2sslv2 3sslv3 4ipv4 6ipv6 :next #progress-bar Auser-agent Ccontinue-at Ddump-header" +
		" Ecert Fform Gget Hheader Ihead Jremote-header-name Kconfig Llocation Nbuffer Oremote-name Rremote-time" +
		" Sshow-error Tupload-file Uproxy-user Xrequest Yspeed-limit Zparallel bcookie ccookie-jar ddata ereferer" +
		" ffail ggloboff iinclude jjunk-session-cookies kinsecure mmax-time nnetrc ooutput pproxytunnel qdisable" +
		" rrange ssilent uuser vverbose wwrite-out xproxy yspeed-time ztime-cond"
	for name := range strings.FieldsSeq(names) {
		if name[0] == letter {
			return name[1:]
		}
	}
	return ""
}
