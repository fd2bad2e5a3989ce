# The image of a release: the static binary, and the certificates that HTTPS needs.
# goreleaser lays the binaries of all platforms beside this file.
FROM alpine:3.22 AS certificates

FROM scratch
ARG TARGETPLATFORM
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY $TARGETPLATFORM/m2m /m2m
# Nobody, on every system.
USER 65534:65534
WORKDIR /work
ENTRYPOINT ["/m2m"]
