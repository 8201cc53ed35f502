# docker build -t hotline . && docker run --network host -v hotline-data:/var/lib/hotline hotline
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake pkg-config python3 python3-pip npm \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make build && HOTLINE_MODELS=/models target/release/hotline models pull

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* && useradd --system --home /var/lib/hotline --create-home hotline
COPY --from=build /src/target/release/hotline /opt/hotline/bin/hotline
COPY --from=build /src/.native/lib/ /opt/hotline/lib/
COPY --from=build /models /opt/hotline/models
COPY hotline.toml /opt/hotline/hotline.toml
COPY dialplans /opt/hotline/dialplans
COPY voices /opt/hotline/voices
ENV HOTLINE_MODELS=/opt/hotline/models
# hotline.toml's `data` is beside it; recordings and the database live in the volume.
RUN ln -s /var/lib/hotline /opt/hotline/data
VOLUME /var/lib/hotline
USER hotline
WORKDIR /opt/hotline
EXPOSE 5060/udp 20000-20999/udp
ENTRYPOINT ["/opt/hotline/bin/hotline"]
CMD ["serve"]
