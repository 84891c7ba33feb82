# syntax=docker/dockerfile:1
# One image an app: `docker build --target sidecar .`; docker-compose.yml builds all of them. The first stages are shared.

FROM node:26-bookworm-slim AS base
WORKDIR /fairlead
ENV NODE_ENV=production
COPY deploy/entrypoint.sh /usr/local/bin/fairlead-entrypoint
USER node
ENTRYPOINT ["fairlead-entrypoint"]

# Compiles to dist/. The install scripts of npm packages are not needed, except our own code generation.
FROM node:26-bookworm-slim AS build
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund && npm run prepare && npm run build

# Production dependencies of one app only. Proxies have none: the build makes each of them into few files.
FROM build AS registry-sync-files
RUN --mount=type=cache,target=/root/.npm node tools/build/install-app.ts apps/registry-sync /fairlead
FROM build AS config-compiler-files
RUN --mount=type=cache,target=/root/.npm node tools/build/install-app.ts apps/config-compiler /fairlead
FROM build AS ads-gateway-files
RUN --mount=type=cache,target=/root/.npm node tools/build/install-app.ts apps/ads-gateway /fairlead
FROM build AS fairlead-files
RUN --mount=type=cache,target=/root/.npm node tools/build/install-app.ts apps/fairlead /fairlead
FROM build AS sample-shop-files
RUN --mount=type=cache,target=/root/.npm node tools/build/install-app.ts apps/samples/shop /fairlead

FROM base AS registry-sync
COPY --from=registry-sync-files /fairlead ./
EXPOSE 13300
CMD ["node", "apps/registry-sync/src/main.js"]

FROM base AS config-compiler
COPY --from=config-compiler-files /fairlead ./
EXPOSE 13301
CMD ["node", "apps/config-compiler/src/main.js"]

FROM base AS ads-gateway
COPY --from=ads-gateway-files /fairlead ./
EXPOSE 15010 15014
CMD ["node", "apps/ads-gateway/src/main.js"]

FROM base AS sidecar
COPY --from=build /source/dist/sidecar ./
# One arena for all threads: malloc keeps less that nobody uses (docs/where-the-time-goes.md).
ENV MALLOC_ARENA_MAX=1
EXPOSE 15006
# Young objects of a proxy die at once: more room for them than this costs memory and saves nothing. The compiler in the middle of V8's three
# leaves 18 MiB behind, and what runs often is compiled by the last one anyway (docs/where-the-time-goes.md).
CMD ["node", "--max-semi-space-size=8", "--no-maglev", "main.js"]

FROM base AS edge-gateway
COPY --from=build /source/dist/edge-gateway ./
# One arena for all threads: malloc keeps less that nobody uses (docs/where-the-time-goes.md).
ENV MALLOC_ARENA_MAX=1
EXPOSE 8080 8443
CMD ["node", "--max-semi-space-size=8", "--no-maglev", "main.js"]

# The command line without `up`: status, apply, get, delete.
FROM base AS fairlead
COPY --from=fairlead-files /fairlead ./
ENTRYPOINT ["node", "apps/fairlead/src/main.js"]
CMD ["--help"]

FROM base AS sample-shop
COPY --from=sample-shop-files /fairlead ./
CMD ["node", "apps/samples/shop/src/main.js", "catalog"]
