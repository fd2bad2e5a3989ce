# The image of a release: the static binary, and the certificates that HTTPS needs.
# goreleaser lays both beside this file, the binary once for each platform.
FROM scratch
ARG TARGETPLATFORM
COPY generated/ca-certificates.crt /etc/ssl/certs/
COPY $TARGETPLATFORM/m2m /m2m
# Nobody, on every system.
USER 65534:65534
WORKDIR /work
ENTRYPOINT ["/m2m"]
