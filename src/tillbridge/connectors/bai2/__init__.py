"""Bank statements as BAI2, the cash management balance reports of American banks."""

from tillbridge.connectors.bai2.connector import Bai2Connector

connector = Bai2Connector()
