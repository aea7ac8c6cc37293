# Gatehouse as a container image.
#   docker build -t gatehouse .
#   docker run -p 8787:8787 -v gatehouse:/data -e GATEHOUSE_PUBLIC_URL=https://mcp.example.com -e GATEHOUSE_TO=http://backend:3000/mcp gatehouse
# Every RUN uses relative paths only, so that `npm run image` can try the steps without a container engine.

FROM node:24-alpine AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json config.schema.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM node:24-alpine AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The drivers of PostgreSQL and Redis are optional for a package and belong into an image. Said so, npm takes
# all versions from the lock file; `npm install --omit=dev pg` would silently leave out what is a dev dependency.
RUN npm pkg delete devDependencies && npm pkg set dependencies.pg=8.23.1 dependencies.@redis/client=6.3.1
RUN npm install --ignore-scripts --no-audit --no-fund --omit=dev
RUN node -e "import('pg').then(() => import('@redis/client'))"

FROM node:24-alpine
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY bin ./bin
COPY package.json LICENSE ./
ENV NODE_ENV=production GATEHOUSE_HOST=0.0.0.0 GATEHOUSE_DATA=/data
# A named volume takes over this owner; the program writes nowhere else.
RUN mkdir -p /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 8787
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
  CMD wget -q -O /dev/null "http://127.0.0.1:${GATEHOUSE_PORT:-8787}/readyz" || exit 1
ENTRYPOINT ["node", "/app/bin/gatehouse.js"]
CMD ["serve"]
