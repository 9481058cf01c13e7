import { Option } from '@sluice/contract';

/** Where a program sends figures by StatsD; engine and consumers share it. */
export const statsdOptions = {
  statsdHost: Option.Optional(
    Option.String({
      env: 'STATSD_HOST',
      minLength: 1,
      description: 'StatsD daemon that gets figures once a second, by UDP. Without it, none are sent.',
    }),
  ),
  statsdPort: Option.Integer({
    env: 'STATSD_PORT',
    minimum: 1,
    maximum: 65535,
    default: 8125,
    description: 'Port of the StatsD daemon.',
  }),
  statsdPrefix: Option.String({
    env: 'STATSD_PREFIX',
    minLength: 1,
    pattern: '^[A-Za-z0-9_.-]+$',
    allowed: 'letters, digits, dots, dashes and underscores',
    default: 'microservice',
    description:
      'What stands before each name. Gauges of programs with the same prefix replace each other: give each its own to tell them apart.',
  }),
};
